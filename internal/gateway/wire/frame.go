package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// MaxFrame is the largest frame that RocketMQ's own peers read (com.rocketmq.remoting.frameMaxLength).
const MaxFrame = 16 << 20

// Flags of a frame.
const (
	FlagResponse = 1 << 0
	FlagOneWay   = 1 << 1
)

// ErrFrame is the cause of every error about bytes that are no frame.
var ErrFrame = errors.New("malformed frame")

// Frame is one frame, with slices of the memory that it was read into: they are valid until the next frame is read there.
type Frame struct {
	Code    int
	Version int
	Flag    int32
	Opaque  int32
	Remark  []byte // as encoded: in JSON with its escapes
	Fields  []Field
	Body    []byte
	Binary  bool // the header is RocketMQ's own, not JSON

	raw    []byte // all of it, lengths first
	header int    // bytes of the header, which begins at headerAt
	edits  []edit
	other  bool // Body isn't the one that was read
	at     places
}

// Field is one of extFields.
type Field struct {
	Key   []byte
	Value []byte // as encoded: in JSON with its escapes
	place        // of the value in the header: in JSON without quotes, in RocketMQ's own format with its length

	added   bool // it wasn't there
	changed bool
	now     string // what it was changed to
	edit    int    // which edit changes it
}

// place is a stretch of the header.
type place struct{ from, to int }

// places are where values lie that may be changed. A place that isn't there begins at 0.
type places struct {
	opaque, flag, code place
	fields             int // end of the last field: where another one goes
}

// edit replaces a stretch of the header.
type edit struct {
	place
	with string
}

// headerAt is where the header begins: behind the lengths of the frame and of the header.
const headerAt = 8

// Response reports whether it answers a request.
func (f *Frame) Response() bool { return f.Flag&FlagResponse != 0 }

// OneWay reports whether no answer is expected.
func (f *Frame) OneWay() bool { return f.Flag&FlagOneWay != 0 }

// Bytes are the frame as it was read, without changes.
func (f *Frame) Bytes() []byte { return f.raw }

// Changed reports whether anything is to be changed.
func (f *Frame) Changed() bool { return len(f.edits) > 0 || f.other }

// SetBody gives the frame another body.
func (f *Frame) SetBody(body []byte) { f.Body, f.other = body, true }

// Get is a field's value as encoded, nil without the field.
func (f *Frame) Get(key string) []byte {
	for i := range f.Fields {
		if string(f.Fields[i].Key) == key {
			return f.Fields[i].Value
		}
	}
	return nil
}

// Has reports whether the field is there.
func (f *Frame) Has(key string) bool { return f.field(key) != nil }

func (f *Frame) field(key string) *Field {
	for i := range f.Fields {
		if string(f.Fields[i].Key) == key {
			return &f.Fields[i]
		}
	}
	return nil
}

// Number is a field's value as a number; false if it isn't there or isn't one.
func (f *Frame) Number(key string) (int64, bool) { return number(f.Get(key)) }

// number reads a decimal number without making a text of it.
func number(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var sum uint64 // of 19 digits at most
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = sum*10 + uint64(c-'0')
	}
	if sum > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(sum), true
	}
	return int64(sum), true
}

// Parse reads a whole frame, lengths included. The frame's own memory of fields and changes is used again.
func (f *Frame) Parse(raw []byte) error {
	f.reset(raw)
	if len(raw) < headerAt {
		return fmt.Errorf("%w: %d bytes", ErrFrame, len(raw))
	}
	total, mark := binary.BigEndian.Uint32(raw), binary.BigEndian.Uint32(raw[4:])
	f.header = int(mark & 0xFFFFFF)
	if int(total) != len(raw)-4 || f.header > len(raw)-headerAt {
		return fmt.Errorf("%w: a header of %d bytes in a frame of %d", ErrFrame, f.header, total)
	}
	f.Body = raw[headerAt+f.header:]
	head := raw[headerAt : headerAt+f.header]
	switch mark >> 24 {
	case 0:
		if f.scanJSON(head) {
			return nil
		}
		return f.parseOddJSON(head)
	case 1:
		f.Binary = true
		if f.scanBinary(head) {
			return nil
		}
		return fmt.Errorf("%w: binary header", ErrFrame)
	}
	return fmt.Errorf("%w: serialize type %d", ErrFrame, mark>>24)
}

func (f *Frame) reset(raw []byte) {
	*f = Frame{Fields: f.Fields[:0], edits: f.edits[:0], raw: raw}
}

// Set changes a field's value, or adds the field. The value must need no escape in JSON: a number, or a name.
func (f *Frame) Set(key, value string) {
	field := f.field(key)
	if field == nil {
		f.Fields = append(f.Fields, Field{Key: []byte(key), place: place{f.at.fields, f.at.fields}, added: true})
		field = &f.Fields[len(f.Fields)-1]
	}
	with := f.encoded(value)
	if field.added {
		with = f.entry(field, with)
	}
	if !field.changed {
		field.changed, field.edit = true, len(f.edits)
		f.edits = append(f.edits, edit{place: field.place})
	}
	f.edits[field.edit].with, field.now = with, value
}

// SetNumber is Set with a number.
func (f *Frame) SetNumber(key string, n int64) { f.Set(key, strconv.FormatInt(n, 10)) }

// Replace changes a field's value if the field is there.
func (f *Frame) Replace(key, value string) {
	if f.Has(key) {
		f.Set(key, value)
	}
}

// SetOpaque changes the number that pairs a request with its answer.
func (f *Frame) SetOpaque(opaque int32) { f.replace(f.at.opaque, f.word(opaque)) }

// SetFlag changes the flag.
func (f *Frame) SetFlag(flag int32) { f.replace(f.at.flag, f.word(flag)) }

// SetCode changes the code.
func (f *Frame) SetCode(code int) {
	if f.Binary {
		f.replace(f.at.code, string(binary.BigEndian.AppendUint16(nil, uint16(code))))
		return
	}
	f.replace(f.at.code, strconv.Itoa(code))
}

func (f *Frame) word(n int32) string {
	if f.Binary {
		return string(binary.BigEndian.AppendUint32(nil, uint32(n)))
	}
	return strconv.Itoa(int(n))
}

// encoded is a value as it stands at the place of a field.
func (f *Frame) encoded(value string) string {
	if f.Binary {
		return string(binary.BigEndian.AppendUint32(nil, uint32(len(value)))) + value
	}
	return value
}

// entry is a field that wasn't there, as it stands behind those that were.
func (f *Frame) entry(field *Field, value string) string {
	key := string(field.Key)
	switch {
	case f.Binary:
		return string(binary.BigEndian.AppendUint16(nil, uint16(len(key)))) + key + value
	case field == &f.Fields[0]:
		return `"` + key + `":"` + value + `"`
	}
	return `,"` + key + `":"` + value + `"`
}

// replace notes a change. A second change of the same stretch counts instead of the first.
func (f *Frame) replace(p place, with string) {
	for i := range f.edits {
		if f.edits[i].place == p && p.from < p.to {
			f.edits[i].with = with
			return
		}
	}
	f.edits = append(f.edits, edit{p, with})
}
