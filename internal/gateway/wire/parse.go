package wire

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// Parse reads a whole frame, lengths included. The frame's own memory of fields and changes is used
// again.
func (f *Frame) Parse(raw []byte) error {
	f.reset(raw)
	if len(raw) < headerAt {
		return fmt.Errorf("%w: %d bytes", ErrFrame, len(raw))
	}
	total, mark := binary.BigEndian.Uint32(raw), binary.BigEndian.Uint32(raw[4:])
	f.header = int(mark & 0xFFFFFF)
	if int(total) != len(raw)-4 {
		return fmt.Errorf("%w: %d bytes, announced as %d", ErrFrame, len(raw)-4, total)
	}
	if err := checkHeader(f.header, len(raw)); err != nil {
		return err
	}
	f.Body = raw[headerAt+f.header:]
	head := raw[headerAt : headerAt+f.header]
	kind := mark >> 24
	if kind > 1 {
		return fmt.Errorf("%w: serialize type %d", ErrFrame, kind)
	}
	f.Binary = kind == 1
	if f.scan(head) {
		return nil
	}
	read := readJSON
	if f.Binary {
		read = readBinary
	}
	h, err := read(head)
	if err != nil {
		return err
	}
	return f.rewrite(h)
}

// scan reads a header in the plain form, as stock clients and brokers write it. Any other one is
// read completely. BodyOf is the body of a frame that was read before; nil of less than a frame.
func BodyOf(raw []byte) []byte {
	if len(raw) < headerAt {
		return nil
	}
	header := headerAt + int(binary.BigEndian.Uint32(raw[4:])&0xFFFFFF)
	return raw[min(header, len(raw)):]
}

func (f *Frame) scan(head []byte) bool {
	if f.Binary {
		return f.scanBinary(head)
	}
	return plainText(head) && f.scanJSON(head)
}

func (f *Frame) reset(raw []byte) {
	*f = Frame{Fields: kept(f.Fields), edits: kept(f.edits), memory: kept(f.memory), order: kept(f.order), raw: raw}
}

// forget gives up all memory that the frame lies in.
func (f *Frame) forget() {
	clear(f.Fields[:cap(f.Fields)])
	clear(f.edits[:cap(f.edits)])
	clear(f.order[:cap(f.order)])
	f.reset(nil)
}

// mostKept is how much memory of one kind is used again, in bytes: stock clients' frames have 20
// fields, of 128 bytes each here. A frame that needed more leaves nothing behind.
const mostKept = 4 << 10

func kept[T any](memory []T) []T {
	if uintptr(cap(memory))*unsafe.Sizeof(*new(T)) > mostKept {
		return nil
	}
	return memory[:0]
}
