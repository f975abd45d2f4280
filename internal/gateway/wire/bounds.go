package wire

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Bounds of what a frame may be. Stock clients and brokers stay far below all but the first, which
// is their own.
const (
	// MaxFrame is the largest frame that RocketMQ's own peers read
	// (com.rocketmq.remoting.frameMaxLength).
	MaxFrame = 16 << 20
	// MaxHeader bounds a header. The longest one of a stock client is that of a message with 32,767
	// bytes of properties, in JSON six bytes for each if all of them are control characters.
	MaxHeader = 256 << 10
	// MaxFields bounds how many fields a header has. Stock clients send 20 at most.
	MaxFields = 128
	// mostEntries bounds how many fields are read of a header that isn't plain, in which one may be
	// repeated without end, or be null.
	mostEntries = 4 * MaxFields
	// mostMembers bounds how many members such a header has beside its fields, which are left out
	// unless RocketMQ knows them: it knows eight.
	mostMembers = 128
	// maxKey bounds a field's name, in bytes. Stock clients' longest has 26.
	maxKey = 128
)

// plainKey reports whether a field's name is as stock clients write names: printable ASCII without
// quotes and backslashes. Sorting and comparing such names is the same in every language. An empty
// one is null in RocketMQ's own format, and fastjson takes @type and $ref for orders of its own, in
// some versions.
func plainKey(key []byte) bool {
	if len(key) == 0 || len(key) > maxKey || key[0] == '@' || key[0] == '$' {
		return false
	}
	for _, c := range key {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// enter adds a field that was read. It reports false where there is a second one of that name,
// where there are too many, and where its name isn't plain.
func (f *Frame) enter(one Field) bool {
	if len(f.Fields) == MaxFields || !plainKey(one.Key) {
		return false
	}
	for i := range f.Fields {
		if bytes.Equal(f.Fields[i].Key, one.Key) {
			return false
		}
	}
	f.Fields = append(f.Fields, one)
	return true
}

// checkHeader judges the length of a header.
func checkHeader(size, frame int) error {
	switch {
	case size > frame-headerAt:
		return fmt.Errorf("%w: a header of %d bytes in a frame of %d", ErrFrame, size, frame-4)
	case size > MaxHeader:
		return fmt.Errorf("%w: a header of %d bytes, at most %d", ErrFrame, size, MaxHeader)
	}
	return nil
}

// plainText reports whether bytes are what every reader makes the same text of. Of others, readers
// replace what is no UTF-8, each in its own way.
func plainText(b []byte) bool { return utf8.Valid(b) }
