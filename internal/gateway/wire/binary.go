package wire

import "encoding/binary"

// Where the values of a binary header lie: code 2, language 1, version 2, opaque 4, flag 4, then
// the remark with its length, then the fields with theirs.
const (
	binaryOpaque = 5
	binaryFlag   = 9
	binaryRemark = 13
)

func (f *Frame) scanBinary(head []byte) bool {
	if len(head) < binaryRemark+8 {
		return false
	}
	f.Code = int(int16(binary.BigEndian.Uint16(head)))
	f.Version = int(int16(binary.BigEndian.Uint16(head[3:])))
	f.Opaque = int32(binary.BigEndian.Uint32(head[binaryOpaque:]))
	f.Flag = int32(binary.BigEndian.Uint32(head[binaryFlag:]))
	f.at.code = place{0, 2}
	f.at.opaque, f.at.flag = place{binaryOpaque, binaryOpaque + 4}, place{binaryFlag, binaryFlag + 4}
	remark, at, ok := block(head, binaryRemark)
	if !ok || !plainText(remark) {
		return false
	}
	f.Remark = remark
	_, end, ok := block(head, at)
	if !ok || end != len(head) {
		return false
	}
	f.at.fields = end
	for at += 4; at < end; {
		key, value, next, ok := binaryField(head[:end], at)
		if !ok || !plainText(value) || !f.enter(Field{Key: key, Value: value, place: place{at + 2 + len(key), next}}) {
			return false
		}
		at = next
	}
	return true
}

// binaryField takes a field: a short with the length of its name, the name, and the value with its
// length.
func binaryField(head []byte, at int) (key, value []byte, next int, ok bool) {
	if len(head)-at < 2 {
		return nil, nil, 0, false
	}
	n := int(int16(binary.BigEndian.Uint16(head[at:])))
	if at += 2; n < 0 || n > len(head)-at {
		return nil, nil, 0, false
	}
	key = head[at : at+n]
	value, next, ok = block(head, at+n)
	return key, value, next, ok
}

// block takes bytes with their length before them.
func block(head []byte, at int) (value []byte, next int, ok bool) {
	if len(head)-at < 4 {
		return nil, 0, false
	}
	n := int(int32(binary.BigEndian.Uint32(head[at:])))
	if n < 0 || n > len(head)-at-4 {
		return nil, 0, false
	}
	return head[at+4 : at+4+n], at + 4 + n, true
}
