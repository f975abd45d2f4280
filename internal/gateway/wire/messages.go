package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"rocketshift/internal/rocketmq/remoting"
)

// Where fields of a stored message lie (MessageDecoder.decode): 4 size, 4 magic, 4 CRC of the body,
// 4 queue, 4 flag, 8 offset in the queue, 8 offset in the commit log, 4 system flag, 8 born time,
// host born, 8 store time, host that stores.
const (
	messageQueue    = 12
	messageOffset   = 20
	messagePhysical = 28
	messageSysFlag  = 36
	messageBornHost = 48
	messageLeast    = 91 // of an empty message with IPv4 hosts
)

// Moved says how messages of one replica look in the other's place.
type Moved struct {
	Queue int   // number of the queue
	Shift int64 // what is taken off each offset in the queue
	Tag   int64 // bits that are set in each offset in the commit log
	// the host to ask for the message; of another IP version than the message's own, it isn't
	// changed
	Stored netip.AddrPort
}

// Move changes the messages of an answer to a pull, in place.
func (m Moved) Move(body []byte) error {
	for at := 0; at < len(body); {
		rest := body[at:]
		if len(rest) < messageLeast {
			return fmt.Errorf("%w: %d bytes behind the last message", ErrFrame, len(rest))
		}
		size := int(int32(binary.BigEndian.Uint32(rest)))
		if size < messageLeast || size > len(rest) {
			return fmt.Errorf("%w: message of %d bytes in %d", ErrFrame, size, len(rest))
		}
		if err := m.one(rest[:size]); err != nil {
			return err
		}
		at += size
	}
	return nil
}

func (m Moved) one(b []byte) error {
	binary.BigEndian.PutUint32(b[messageQueue:], uint32(m.Queue))
	add(b[messageOffset:], -m.Shift)
	binary.BigEndian.PutUint64(b[messagePhysical:], binary.BigEndian.Uint64(b[messagePhysical:])|uint64(m.Tag))
	flag := binary.BigEndian.Uint32(b[messageSysFlag:])
	at := messageStoreTime(flag) + 8
	length := 4
	if flag&remoting.FlagStoreHostV6 != 0 {
		length = 16
	}
	if len(b) < at+length+4 {
		return fmt.Errorf("%w: message of %d bytes", ErrFrame, len(b))
	}
	ip := m.Stored.Addr()
	switch {
	case !ip.IsValid() || ip.BitLen() != 8*length:
		return nil
	case ip.Is4():
		four := ip.As4()
		copy(b[at:], four[:])
	default:
		six := ip.As16()
		copy(b[at:], six[:])
	}
	binary.BigEndian.PutUint32(b[at+length:], uint32(m.Stored.Port()))
	return nil
}

// messageStoreTime is where the store time lies, after the born host with its port.
func messageStoreTime(flag uint32) int {
	if flag&remoting.FlagBornHostV6 != 0 {
		return messageBornHost + 8 + 12
	}
	return messageBornHost + 8
}

func add(b []byte, n int64) {
	binary.BigEndian.PutUint64(b, uint64(int64(binary.BigEndian.Uint64(b))+n))
}
