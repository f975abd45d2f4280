package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"rocketshift/internal/rocketmq/remoting"
)

// Where the lengths of a message's last three parts lie: its body, after the host that stores it,
// times consumed again and the transaction's offset; its topic, of one byte, or of two with the
// second magic number; its properties (MessageDecoder.decode, 5.3.3).
const (
	messageMagic = 4
	beforeBody   = 4 + 8
)

// Named says what the properties of messages say to clients.
type Named struct {
	// Names are the properties that may be said otherwise: messages without any of them aren't
	// looked into.
	Names [][]byte
	// Value is what a property says to clients, or the same value. It may change the value where it
	// lies, if it stays as long.
	Value func(name, value []byte) []byte
}

// Rename gives messages of an answer to a pull the properties that clients know, and returns them;
// in place if none gets longer or shorter. Messages that aren't whole, and those whose properties
// would be longer than brokers store them, stay as they are.
func (n Named) Rename(body []byte) []byte {
	var out []byte // once a message has another length
	kept := 0      // up to where body is in out
	for at := 0; len(body)-at >= messageLeast; {
		size := int(int32(binary.BigEndian.Uint32(body[at:])))
		if size < messageLeast || size > len(body)-at {
			break
		}
		message := body[at : at+size]
		if from, whole := propertiesAt(message); whole && n.in(message[from:]) {
			switch with := n.rename(message[from:]); {
			case len(with) == len(message)-from:
				copy(message[from:], with)
			case with != nil:
				if out == nil {
					out = make([]byte, 0, len(body)+len(body)/8)
				}
				out = append(append(out, body[kept:at]...), message[:from]...)
				out = append(out, with...)
				begin := len(out) - from - len(with)
				binary.BigEndian.PutUint32(out[begin:], uint32(from+len(with)))
				binary.BigEndian.PutUint16(out[begin+from-2:], uint16(len(with)))
				kept = at + size
			}
		}
		at += size
	}
	if kept == 0 {
		return body
	}
	return append(out, body[kept:]...)
}

// propertiesAt is where the properties of a message begin, which end where it ends.
func propertiesAt(b []byte) (at int, whole bool) {
	_, at, whole = topicAt(b)
	if !whole || len(b) < at+2 {
		return 0, false
	}
	length := int(binary.BigEndian.Uint16(b[at:]))
	return at + 2, length == len(b)-at-2
}

// topicAt is where the name of a message's topic lies. The message has messageLeast bytes or more.
func topicAt(b []byte) (from, to int, whole bool) {
	flag := binary.BigEndian.Uint32(b[messageSysFlag:])
	at := messageStoreTime(flag) + 8 + 8 // after the store time, and the host that stores
	if flag&remoting.FlagStoreHostV6 != 0 {
		at += 12
	}
	at += beforeBody
	if len(b) < at+4 {
		return 0, 0, false
	}
	length := int(int32(binary.BigEndian.Uint32(b[at:])))
	if length < 0 || length > len(b)-at-4 {
		return 0, 0, false
	}
	at += 4 + length
	two := binary.BigEndian.Uint32(b[messageMagic:]) == remoting.MagicV2
	switch {
	case two && len(b) >= at+2:
		from = at + 2
		to = from + int(binary.BigEndian.Uint16(b[at:]))
	case !two && len(b) > at:
		from = at + 1
		to = from + int(b[at])
	}
	return from, to, from > 0 && to <= len(b)
}

// PlaceOf is the topic and the number of the queue of a message; false if it isn't whole.
func PlaceOf(message []byte) (topic string, queue int, whole bool) {
	if len(message) < messageLeast {
		return "", 0, false
	}
	from, to, whole := topicAt(message)
	if !whole {
		return "", 0, false
	}
	return string(message[from:to]), int(int32(binary.BigEndian.Uint32(message[messageQueue:]))), true
}

// in reports whether properties may have one of the names.
func (n Named) in(properties []byte) bool {
	return slices.ContainsFunc(n.Names, func(name []byte) bool {
		return bytes.Contains(properties, name)
	})
}

// rename returns the properties as clients know them; nil if they are so where they lie.
func (n Named) rename(properties []byte) (out []byte) {
	kept := 0
	for at := 0; at < len(properties); {
		end := len(properties)
		if i := bytes.IndexByte(properties[at:], remoting.ValueEnd); i >= 0 {
			end = at + i
		}
		if i := bytes.IndexByte(properties[at:end], remoting.NameEnd); i >= 0 {
			value := properties[at+i+1 : end]
			if with := n.Value(properties[at:at+i], value); !bytes.Equal(with, value) {
				out = append(append(out, properties[kept:at+i+1]...), with...)
				kept = end
			}
		}
		at = end + 1
	}
	if kept == 0 {
		return nil
	}
	out = append(out, properties[kept:]...)
	if len(out) > math.MaxInt16 { // their length is a short in Java
		return nil
	}
	return out
}
