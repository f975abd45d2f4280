package wire

import (
	"encoding/binary"
	"errors"
	"strconv"

	"rocketshift/internal/rocketmq/remoting"
)

// Flags of a frame.
const (
	FlagResponse = 1 << 0
	FlagOneWay   = 1 << 1
)

// ErrFrame is the cause of every error about bytes that are no frame.
var ErrFrame = errors.New("malformed frame")

// Frame is one frame, with slices of the memory that it was read into: they are valid until the
// next frame is read there.
type Frame struct {
	Code    int
	Version int
	Flag    int32
	Opaque  int32
	Remark  []byte // as encoded: in JSON with its escapes
	Fields  []Field
	Body    []byte
	Binary  bool // the header is RocketMQ's own, not JSON
	More    bool // the reader holds another whole frame behind it

	raw    []byte // all of it, lengths first
	header int    // bytes of the header, which begins at headerAt
	edits  []edit
	order  []*Field // of fields as they are signed
	memory []byte   // holds what edits put in; what lies in it is never written again until the next frame
	other  bool     // Body isn't the one that was read

	rewritten bool // the header isn't as it came
	touched   bool // what a signature covers is changed: fields or the body
	numbered  bool // it has another number by now
	number    int32
	at        places
}

// Field is one of extFields.
type Field struct {
	Key   []byte
	Value []byte // as encoded: in JSON with its escapes
	place        // of the value in the header: in JSON without quotes, in RocketMQ's own format with its length

	added   bool // it wasn't there
	changed bool
	now     []byte // what it was changed to
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
	with []byte
}

// headerAt is where the header begins: behind the lengths of the frame and of the header.
const headerAt = 8

// Response reports whether it answers a request.
func (f *Frame) Response() bool { return f.Flag&FlagResponse != 0 }

// OneWay reports whether no answer is expected.
func (f *Frame) OneWay() bool { return f.Flag&FlagOneWay != 0 }

// Bytes are the frame as it was read, without changes; one that wasn't in the plain form is in it
// here.
func (f *Frame) Bytes() []byte { return f.raw }

// Changed reports whether anything is to be changed.
func (f *Frame) Changed() bool { return len(f.edits) > 0 || f.other }

// SetBody gives the frame another body.
func (f *Frame) SetBody(body []byte) { f.Body, f.other, f.touched = body, true, true }

// Touched reports whether anything is changed that a signature covers: fields or the body, and not
// code, flag or number.
func (f *Frame) Touched() bool { return f.touched }

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
func (f *Frame) Number(key string) (int64, bool) { return remoting.ParseNumber(f.Get(key)) }

// Set changes a field's value, or adds the field. The value must need no escape in JSON: a number,
// or a name.
func (f *Frame) Set(key, value string) { f.set(key, f.keep(value)) }

// SetNumber is Set with a number.
func (f *Frame) SetNumber(key string, n int64) {
	begin := len(f.memory)
	f.memory = strconv.AppendInt(f.memory, n, 10)
	f.set(key, f.memory[begin:])
}

// Extend puts any text behind a field's value, or adds the field.
func (f *Frame) Extend(key, more string) {
	plain, encoded := f.Unescaped(key)+more, string(f.Get(key))
	if f.Binary {
		encoded += more
	} else {
		quoted := appendText(nil, more)
		encoded += string(quoted[1 : len(quoted)-1])
	}
	f.set(key, f.keep(encoded))
	f.field(key).now = f.keep(plain)
}

// keep puts a text into the frame's memory.
func (f *Frame) keep(text string) []byte {
	begin := len(f.memory)
	f.memory = append(f.memory, text...)
	return f.memory[begin:]
}

func (f *Frame) set(key string, value []byte) {
	f.touched = true
	field := f.field(key)
	if field == nil {
		f.Fields = append(f.Fields, Field{Key: f.keep(key), place: place{f.at.fields, f.at.fields}, added: true})
		field = &f.Fields[len(f.Fields)-1]
	}
	with := f.encoded(field, value)
	if !field.changed {
		field.changed, field.edit = true, len(f.edits)
		f.edits = append(f.edits, edit{place: field.place})
	}
	f.edits[field.edit].with, field.now = with, value
}

// Replace changes a field's value if the field is there.
func (f *Frame) Replace(key, value string) {
	if f.Has(key) {
		f.Set(key, value)
	}
}

// SetOpaque changes the number that pairs a request with its answer.
func (f *Frame) SetOpaque(opaque int32) {
	f.number, f.numbered = opaque, true
	f.replace(f.at.opaque, f.word(opaque))
}

// OpaqueNow is that number with its change, if it was changed.
func (f *Frame) OpaqueNow() int32 {
	if f.numbered {
		return f.number
	}
	return f.Opaque
}

// SetFlag changes the flag.
func (f *Frame) SetFlag(flag int32) { f.replace(f.at.flag, f.word(flag)) }

// SetCode changes the code.
func (f *Frame) SetCode(code int) {
	begin := len(f.memory)
	if f.Binary {
		f.memory = binary.BigEndian.AppendUint16(f.memory, uint16(code))
	} else {
		f.memory = strconv.AppendInt(f.memory, int64(code), 10)
	}
	f.replace(f.at.code, f.memory[begin:])
}

func (f *Frame) word(n int32) []byte {
	begin := len(f.memory)
	if f.Binary {
		f.memory = binary.BigEndian.AppendUint32(f.memory, uint32(n))
	} else {
		f.memory = strconv.AppendInt(f.memory, int64(n), 10)
	}
	return f.memory[begin:]
}

// encoded is a value as it stands at the place of a field; of one that wasn't there, with its key,
// behind those that were.
func (f *Frame) encoded(field *Field, value []byte) []byte {
	begin := len(f.memory)
	b := f.memory
	switch {
	case f.Binary:
		if field.added {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(field.Key))), field.Key...)
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
	case field.added:
		if field != &f.Fields[0] {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), field.Key...), `":"`...)
		b = append(append(b, value...), '"')
	default:
		return value
	}
	f.memory = b
	return b[begin:]
}

// replace notes a change. A second change of the same stretch counts instead of the first.
func (f *Frame) replace(p place, with []byte) {
	for i := range f.edits {
		if f.edits[i].place == p && p.from < p.to {
			f.edits[i].with = with
			return
		}
	}
	f.edits = append(f.edits, edit{p, with})
}
