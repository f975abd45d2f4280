package remoting

import (
	"bytes"
)

// scanJSONHeader reads a header as brokers write them: one flat object, and one of texts in it,
// without escapes. It is for speed alone: whatever is not like that makes it return false, and the
// header is read by the ordinary decoder.
func scanJSONHeader(header []byte, c *Command) bool {
	s := NewScanner(header)
	fields := make(map[string]string, 8)
	ok := s.Object(func(key []byte) (ok bool) {
		switch string(key) {
		case "code":
			code, ok := number32(&s)
			c.Code = int(code)
			return ok
		case "version":
			version, ok := number32(&s)
			c.Version = int(version)
			return ok
		case "opaque":
			c.Opaque, ok = number32(&s)
			return ok
		case "flag":
			c.Flag, ok = number32(&s)
			return ok
		case "language":
			return copyText(&s, &c.Language)
		case "remark":
			return copyText(&s, &c.Remark)
		case "serializeTypeCurrentRPC":
			_, ok := plain(&s)
			return ok
		case "extFields":
			return s.Object(func(key []byte) bool {
				name := string(key)
				value, ok := plain(&s)
				fields[name] = string(value)
				return ok && isPlain(key)
			})
		}
		return false
	})
	c.Fields = fields
	return ok && s.Done()
}

// plain takes a text of printable ASCII without escapes.
func plain(s *Scanner) ([]byte, bool) {
	text, _, ok := s.Text()
	return text, ok && isPlain(text)
}

func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

func copyText(s *Scanner, into *string) bool {
	text, ok := plain(s)
	*into = string(text)
	return ok
}

// number32 takes a number as JSON allows it: without zeros before its first digit.
func number32(s *Scanner) (int32, bool) {
	n, from, ok := s.Number32()
	first := bytes.TrimPrefix(s.b[from:s.at], []byte("-"))
	return n, ok && (len(first) == 1 || first[0] != '0')
}
