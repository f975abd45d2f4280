package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// scanJSON reads a header as clients and servers write it: one flat object, and one of texts in it. Anything else is read by
// parseOddJSON.
func (f *Frame) scanJSON(head []byte) bool {
	s := scanner{b: head}
	ok := s.object(func(key []byte) bool {
		switch string(key) {
		case "code":
			return s.number32(func(n int32) { f.Code = int(n) }, &f.at.code)
		case "version":
			return s.number32(func(n int32) { f.Version = int(n) }, nil)
		case "opaque":
			return s.number32(func(n int32) { f.Opaque = n }, &f.at.opaque)
		case "flag":
			return s.number32(func(n int32) { f.Flag = n }, &f.at.flag)
		case "remark":
			if s.literal("null") {
				return true
			}
			text, _, ok := s.text()
			f.Remark = text
			return ok
		case "extFields":
			return s.fields(f)
		}
		if s.literal("null") {
			return true
		}
		_, _, ok := s.text() // language, serializeTypeCurrentRPC
		return ok
	})
	return ok && s.at == len(s.b) && f.at.opaque.from > 0 && f.at.flag.from > 0 && f.at.code.from > 0 && f.at.fields > 0
}

// scanner takes pieces of JSON text one after the other.
type scanner struct {
	b  []byte
	at int
}

func (s *scanner) take(c byte) bool {
	if s.at >= len(s.b) || s.b[s.at] != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) literal(word string) bool {
	if !bytes.HasPrefix(s.b[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

// text takes a text, which is returned with its escapes.
func (s *scanner) text() (text []byte, at place, ok bool) {
	if !s.take('"') {
		return nil, place{}, false
	}
	for from, look := s.at, s.at; ; {
		n := bytes.IndexByte(s.b[look:], '"')
		if n < 0 {
			return nil, place{}, false
		}
		end := look + n
		escapes := 0
		for end-escapes > from && s.b[end-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 1 {
			look = end + 1
			continue
		}
		s.at = end + 1
		return s.b[from:end], place{from, end}, true
	}
}

func (s *scanner) number32(is func(int32), at *place) bool {
	from := s.at
	for s.at < len(s.b) && (s.b[s.at] == '-' || s.b[s.at] >= '0' && s.b[s.at] <= '9') {
		s.at++
	}
	n, ok := number(s.b[from:s.at])
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		return false
	}
	if at != nil {
		*at = place{from, s.at}
	}
	is(int32(n))
	return true
}

// object takes an object; value takes the value of each key.
func (s *scanner) object(value func(key []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		key, _, ok := s.text()
		if !ok || !s.take(':') || !value(key) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// fields takes extFields.
func (s *scanner) fields(f *Frame) bool {
	ok := s.object(func(key []byte) bool {
		value, at, ok := s.text()
		f.Fields = append(f.Fields, Field{Key: key, Value: value, place: at})
		return ok
	})
	f.at.fields = s.at - 1
	return ok
}

// oddHeader is a header in any valid JSON.
type oddHeader struct {
	Code      int                `json:"code"`
	ExtFields map[string]*string `json:"extFields"`
	Flag      int32              `json:"flag"`
	Language  *string            `json:"language,omitempty"`
	Opaque    int32              `json:"opaque"`
	Remark    *string            `json:"remark,omitempty"`
	Serialize *string            `json:"serializeTypeCurrentRPC,omitempty"`
	Version   int                `json:"version"`
}

// parseOddJSON reads a header that isn't as usual, such as one with spaces or without fields, and makes it a usual one: slower, with
// memory of its own.
func (f *Frame) parseOddJSON(head []byte) error {
	var h oddHeader
	if err := json.Unmarshal(head, &h); err != nil {
		return fmt.Errorf("%w: JSON header: %w", ErrFrame, err)
	}
	for key, value := range h.ExtFields {
		if value == nil {
			delete(h.ExtFields, key) // servers read a missing one as null
		}
	}
	if h.ExtFields == nil {
		h.ExtFields = map[string]*string{}
	}
	usual, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("%w: JSON header: %w", ErrFrame, err)
	}
	body := f.Body
	f.reset(appendLengths(make([]byte, 0, headerAt+len(usual)+len(body)), 0, len(usual), len(body)))
	f.raw = append(append(f.raw, usual...), body...)
	f.header, f.Body = len(usual), f.raw[headerAt+len(usual):]
	if !f.scanJSON(f.raw[headerAt : headerAt+len(usual)]) {
		return fmt.Errorf("%w: JSON header %.100q", ErrFrame, head)
	}
	return nil
}

// Unescaped is a field's value as text: what JSON has escaped is resolved.
func (f *Frame) Unescaped(key string) string { return f.unescaped(f.Get(key)) }

func (f *Frame) unescaped(value []byte) string {
	if f.Binary || bytes.IndexByte(value, '\\') < 0 {
		return string(value)
	}
	var text string
	if json.Unmarshal([]byte(`"`+string(value)+`"`), &text) != nil {
		return string(value)
	}
	return text
}
