package remoting

import (
	"bytes"
	"strconv"
)

// scanJSONHeader reads a header as brokers write them: one flat object, and one of texts in it,
// without escapes. It is for speed alone: whatever is not like that makes it return false, and the
// header is read by the ordinary decoder.
func scanJSONHeader(header []byte, c *Command) bool {
	s := scanner{b: header}
	fields := make(map[string]string, 8)
	ok := s.object(func(key []byte) bool {
		switch string(key) {
		case "code":
			return s.number(&c.Code)
		case "version":
			return s.number(&c.Version)
		case "opaque":
			return s.number32(&c.Opaque)
		case "flag":
			return s.number32(&c.Flag)
		case "language":
			return s.copy(&c.Language)
		case "remark":
			return s.copy(&c.Remark)
		case "serializeTypeCurrentRPC":
			_, ok := s.text()
			return ok
		case "extFields":
			return s.object(func(key []byte) bool {
				name := string(key)
				value, ok := s.text()
				fields[name] = string(value)
				return ok
			})
		}
		return false
	})
	c.Fields = fields
	return ok && len(s.b) == 0
}

// scanner takes pieces from the front of JSON text.
type scanner struct{ b []byte }

func (s *scanner) take(c byte) bool {
	if len(s.b) == 0 || s.b[0] != c {
		return false
	}
	s.b = s.b[1:]
	return true
}

// text takes a string of printable ASCII without escapes.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	end := bytes.IndexByte(s.b, '"')
	if end < 0 {
		return nil, false
	}
	text := s.b[:end]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			return nil, false
		}
	}
	s.b = s.b[end+1:]
	return text, true
}

func (s *scanner) copy(into *string) bool {
	text, ok := s.text()
	*into = string(text)
	return ok
}

func (s *scanner) digits() ([]byte, bool) {
	n := 0
	for n < len(s.b) && (s.b[n] == '-' || s.b[n] >= '0' && s.b[n] <= '9') {
		n++
	}
	digits := s.b[:n]
	s.b = s.b[n:]
	first := bytes.TrimPrefix(digits, []byte("-"))
	return digits, len(first) == 1 || len(first) > 1 && first[0] != '0'
}

func (s *scanner) number(into *int) bool {
	digits, ok := s.digits()
	n, err := strconv.ParseInt(string(digits), 10, strconv.IntSize)
	*into = int(n)
	return ok && err == nil
}

func (s *scanner) number32(into *int32) bool {
	digits, ok := s.digits()
	n, err := strconv.ParseInt(string(digits), 10, 32)
	*into = int32(n)
	return ok && err == nil
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
		key, ok := s.text()
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
