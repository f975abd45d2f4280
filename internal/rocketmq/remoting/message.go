package remoting

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
)

// Magic codes of stored messages (MessageDecoder.MESSAGE_MAGIC_CODE and _V2; V2 has a two-byte
// topic length).
const (
	MagicV1 = 0xDAA320A7
	MagicV2 = 0xDAA320AB
)

// Bits of a message's system flag (MessageSysFlag).
const (
	FlagCompressed      = 0x1
	FlagMultiTags       = 0x2
	FlagTransaction     = 0xC // prepared 4, commit 8, rollback 0xC
	FlagBornHostV6      = 0x10
	FlagStoreHostV6     = 0x20
	FlagCompressionType = 0x700
	// FlagsOfContent are the bits that say how to read the body. Only these may be sent with
	// a copy: a foreign address bit makes the copy, or its neighbour, unreadable.
	FlagsOfContent = FlagCompressed | FlagMultiTags | FlagCompressionType
)

// Message is one stored message as a pull returns it. Body and Properties are slices of the
// answer's buffer.
type Message struct {
	Topic          string
	Queue          int
	QueueOffset    int64
	PhysicalOffset int64
	SysFlag        int32
	Flag           int32
	BornTimestamp  int64 // milliseconds since 1970
	StoreTimestamp int64 // milliseconds since 1970
	BornHost       netip.AddrPort
	StoreHost      netip.AddrPort
	ReconsumeTimes int32
	PreparedOffset int64
	BodyCRC        uint32
	Body           []byte // as stored: still compressed when the flag says so
	Properties     []byte // as stored: name 0x01 value 0x02 …
}

var errMessage = errors.New("malformed message")

// AppendMessages reads the body of a pull, messages back to back, and appends them to out. Bounds
// and checksums are checked; any bytes give messages or an error, never a panic.
func AppendMessages(out []Message, b []byte) ([]Message, error) {
	topic := ""
	for len(b) > 0 {
		if len(b) < 4 {
			return out, fmt.Errorf("%w: %d bytes left", errMessage, len(b))
		}
		size := binary.BigEndian.Uint32(b)
		if size < 4 || uint64(size) > uint64(len(b)) {
			return out, fmt.Errorf("%w: size %d with %d bytes left", errMessage, size, len(b))
		}
		if cap(out) == 0 {
			out = make([]Message, 0, min(len(b)/int(size)+1, 64))
		}
		m, err := decodeMessage(b[4:size], topic)
		topic = m.Topic
		if err != nil {
			return out, fmt.Errorf("message %d of the answer: %w", len(out), err)
		}
		out = append(out, m)
		b = b[size:]
	}
	return out, nil
}

// decodeMessage reads what follows the total size (MessageDecoder.decode). topic is one that the
// message probably has.
func decodeMessage(b []byte, topic string) (Message, error) {
	r := reader{b: b}
	magic := r.u32()
	if magic != MagicV1 && magic != MagicV2 {
		return Message{}, fmt.Errorf("%w: magic %#x", errMessage, magic)
	}
	var m Message
	m.BodyCRC = r.u32()
	m.Queue, m.Flag = int(int32(r.u32())), int32(r.u32())
	m.QueueOffset, m.PhysicalOffset = int64(r.u64()), int64(r.u64())
	m.SysFlag = int32(r.u32())
	m.BornTimestamp = int64(r.u64())
	m.BornHost = r.host(m.SysFlag&FlagBornHostV6 != 0)
	m.StoreTimestamp = int64(r.u64())
	m.StoreHost = r.host(m.SysFlag&FlagStoreHostV6 != 0)
	m.ReconsumeTimes = int32(r.u32())
	m.PreparedOffset = int64(r.u64())
	m.Body = r.take(r.length32())
	var topicLength int
	if magic == MagicV2 {
		topicLength = int(r.u16())
	} else {
		topicLength = int(r.u8())
	}
	if name := r.take(topicLength); string(name) == topic {
		m.Topic = topic
	} else {
		m.Topic = string(name)
	}
	m.Properties = r.take(int(r.u16()))
	if r.bad || len(r.b) != 0 {
		return Message{}, fmt.Errorf("%w: its fields don't end where it ends", errMessage)
	}
	if sum := crc32.ChecksumIEEE(m.Body) & 0x7FFFFFFF; m.BodyCRC != 0 && sum != m.BodyCRC {
		return Message{}, fmt.Errorf("%w: topic %s queue %d offset %d: body checksum %#x, stored %#x",
			errMessage, m.Topic, m.Queue, m.QueueOffset, sum, m.BodyCRC)
	}
	return m, nil
}

func (r *reader) host(v6 bool) netip.AddrPort {
	n := 4
	if v6 {
		n = 16
	}
	addr, _ := netip.AddrFromSlice(r.take(n))
	return netip.AddrPortFrom(addr, uint16(r.u32()))
}
