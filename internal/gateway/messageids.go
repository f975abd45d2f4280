package gateway

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"slices"

	"rocketshift/internal/gateway/routing"
)

// The message ids that brokers give are 32 hexadecimal digits, or 56 with an IPv6 address: the host
// that stores the message, its port of 32 bits, and the offset in its commit log
// (MessageDecoder.createMessageId, 4.9.7). Clients ask that host for the message. So ids of target
// brokers say the gateway's own address to them, and have the broker's tag in their offset.
const (
	idOffset = 8 // bytes of the offset
	idPort   = 4 // and of the port
)

// tellIDs gives message ids of the upstream's broker, with commas between them, the form that
// clients know, where they lie. What is no such id stays.
func (u *upstream) tellIDs(ids []byte) {
	tag, at := u.session.gateway.sides.Tag(u.dest.Broker), u.session.port.address()
	for len(ids) > 0 {
		end := bytes.IndexByte(ids, ',')
		if end < 0 {
			end = len(ids)
		}
		tellID(ids[:end], tag, at)
		ids = ids[min(end+1, len(ids)):]
	}
}

// tellID is tellIDs of one. The host stays if its address is of another IP version.
func tellID(id []byte, tag int64, at netip.AddrPort) {
	var memory [mostIDBytes]byte
	is, ok := idOf(id, &memory)
	if !ok {
		return
	}
	host, port, offset := is.parts()
	binary.BigEndian.PutUint64(offset, binary.BigEndian.Uint64(offset)|uint64(tag))
	switch ip := at.Addr(); {
	case ip.Is4() && len(host) == 4:
		four := ip.As4()
		copy(host, four[:])
		binary.BigEndian.PutUint32(port, uint32(at.Port()))
	case ip.Is6() && len(host) == 16:
		six := ip.As16()
		copy(host, six[:])
		binary.BigEndian.PutUint32(port, uint32(at.Port()))
	}
	for i, b := range is {
		id[2*i], id[2*i+1] = hexadecimal[b>>4], hexadecimal[b&15]
	}
}

var hexadecimal = []byte("0123456789ABCDEF")

// mostIDBytes is how many bytes the digits of an id say at most.
const mostIDBytes = 16 + idPort + idOffset

// messageID is what the digits of an id say.
type messageID []byte

func (m messageID) parts() (host, port, offset []byte) {
	offset = m[len(m)-idOffset:]
	port = m[len(m)-idOffset-idPort : len(m)-idOffset]
	return m[:len(m)-idOffset-idPort], port, offset
}

// idOf reads the digits of an id into memory; false if they are none of a broker's.
func idOf(digits []byte, memory *[mostIDBytes]byte) (messageID, bool) {
	if len(digits) != 2*mostIDBytes && len(digits) != 2*(4+idPort+idOffset) {
		return nil, false
	}
	n, err := hex.Decode(memory[:], digits)
	return memory[:n], err == nil
}

// tellStrangeID gives an id in a message's properties the form that clients know, if it is of a
// broker of the target. One that a producer has made is none: it has a process's number where
// brokers have the first two bytes of a port, which are 0.
func (s *session) tellStrangeID(id []byte) {
	var memory [mostIDBytes]byte
	is, ok := idOf(id, &memory)
	if !ok {
		return
	}
	host, port, _ := is.parts()
	ip, _ := netip.AddrFromSlice(host)
	number := binary.BigEndian.Uint32(port)
	if number > math.MaxUint16 {
		return
	}
	stored := netip.AddrPortFrom(ip, uint16(number)).String()
	for _, broker := range s.gateway.sides.BrokersOf(routing.Target) {
		if slices.Contains(s.gateway.addresses(routing.Dest{Side: routing.Target, Broker: broker}), stored) {
			tellID(id, s.gateway.sides.Tag(broker), s.port.address())
			return
		}
	}
}
