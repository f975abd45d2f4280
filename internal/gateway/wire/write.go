package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// AppendHead appends what comes before the body, with all changes made.
func (f *Frame) AppendHead(dst []byte) []byte {
	if !f.Changed() {
		return append(dst, f.raw[:headerAt+f.header]...)
	}
	slices.SortStableFunc(f.edits, func(a, b edit) int { return a.from - b.from })
	begin := len(dst)
	dst = append(dst, f.raw[:headerAt]...)
	head, last := f.raw[headerAt:headerAt+f.header], 0
	for _, e := range f.edits {
		dst = append(append(dst, head[last:e.from]...), e.with...)
		last = e.to
	}
	dst = append(dst, head[last:]...)
	if f.Binary {
		f.fixFields(dst[begin+headerAt:])
	}
	kind := byte(0)
	if f.Binary {
		kind = 1
	}
	appendLengths(dst[begin:begin], kind, len(dst)-begin-headerAt, len(f.Body))
	return dst
}

// fixFields corrects the length that the fields have together.
func (f *Frame) fixFields(head []byte) {
	at := binaryRemark + 4 + len(f.Remark)
	binary.BigEndian.PutUint32(head[at:], uint32(len(head)-at-4))
}

// appendLengths appends the two lengths that a frame begins with.
func appendLengths(dst []byte, kind byte, header, body int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+header+body))
	return binary.BigEndian.AppendUint32(dst, uint32(kind)<<24|uint32(header))
}

// Reply is an answer made here.
type Reply struct {
	Code   int
	Remark string
	Fields []string // keys and values in turn
	Body   []byte
}

// version is what the gateway's own frames say: 4.9.8.
const version = 409

// AppendReply appends the answer to a request, in the format that the request came in.
func AppendReply(dst []byte, opaque int32, inBinary bool, r Reply) []byte {
	return appendOwn(dst, r.Code, opaque, FlagResponse, inBinary && r.Code <= math.MaxInt16, r)
}

// AppendRequest appends a request with a JSON header; r.Remark is not used.
func AppendRequest(dst []byte, code int, opaque, flag int32, fields []string, body []byte) []byte {
	return appendOwn(dst, code, opaque, flag, false, Reply{Fields: fields, Body: body})
}

func appendOwn(dst []byte, code int, opaque, flag int32, inBinary bool, r Reply) []byte {
	begin := len(dst)
	dst = append(dst, make([]byte, headerAt)...)
	kind := byte(0)
	if inBinary {
		kind = 1
		dst = appendBinary(dst, code, opaque, flag, r)
	} else {
		dst = appendJSON(dst, code, opaque, flag, r)
	}
	header := len(dst) - begin - headerAt
	appendLengths(dst[begin:begin], kind, header, len(r.Body))
	return append(dst, r.Body...)
}

func appendJSON(dst []byte, code int, opaque, flag int32, r Reply) []byte {
	dst = strconv.AppendInt(append(dst, `{"code":`...), int64(code), 10)
	dst = append(dst, `,"extFields":{`...)
	for i := 0; i+1 < len(r.Fields); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(append(appendText(dst, r.Fields[i]), ':'), r.Fields[i+1]), ""...)
	}
	dst = strconv.AppendInt(append(dst, `},"flag":`...), int64(flag), 10)
	dst = strconv.AppendInt(append(dst, `,"language":"GO","opaque":`...), int64(opaque), 10)
	if r.Remark != "" {
		dst = appendText(append(dst, `,"remark":`...), r.Remark)
	}
	return append(dst, `,"serializeTypeCurrentRPC":"JSON","version":`+strconv.Itoa(version)+`}`...)
}

// appendText appends a JSON text.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}

// languageGo is LanguageCode.GO.
const languageGo = 9

func appendBinary(dst []byte, code int, opaque, flag int32, r Reply) []byte {
	dst = append(binary.BigEndian.AppendUint16(dst, uint16(code)), languageGo)
	dst = binary.BigEndian.AppendUint16(dst, version)
	dst = binary.BigEndian.AppendUint32(dst, uint32(opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(flag))
	dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(r.Remark))), r.Remark...)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for i := 0; i+1 < len(r.Fields); i += 2 {
		dst = append(binary.BigEndian.AppendUint16(dst, uint16(len(r.Fields[i]))), r.Fields[i]...)
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(r.Fields[i+1]))), r.Fields[i+1]...)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
