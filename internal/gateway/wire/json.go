package wire

import (
	"bytes"
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// scanJSON reads a header in the plain form: one flat object with the members that RocketMQ knows,
// each once, and one of texts in it.
func (f *Frame) scanJSON(head []byte) bool {
	s := scanner{b: head}
	var seen [len(members)]bool
	ok := s.object(func(key []byte) bool {
		which := memberOf(key)
		if which < 0 || seen[which] {
			return false
		}
		seen[which] = true
		switch string(key) {
		case "code":
			return s.number32(func(n int32) { f.Code = int(n) }, &f.at.code)
		case "version":
			return s.number32(func(n int32) { f.Version = int(n) }, nil)
		case "opaque":
			return s.number32(func(n int32) { f.Opaque = n }, &f.at.opaque)
		case "flag":
			return s.number32(func(n int32) { f.Flag = n }, &f.at.flag)
		case "extFields":
			return s.fields(f)
		}
		if s.literal("null") {
			return true
		}
		text, _, ok := s.text()
		if string(key) == "remark" {
			f.Remark = text
		}
		return ok
	})
	return ok && s.at == len(s.b) && f.at.opaque.from > 0 && f.at.flag.from > 0 && f.at.code.from > 0 && f.at.fields > 0
}

// members are those of RemotingCommand.
var members = [...]string{
	"code",
	"extFields",
	"flag",
	"language",
	"opaque",
	"remark",
	"serializeTypeCurrentRPC",
	"version",
}

func memberOf(key []byte) int {
	for i := range members {
		if string(key) == members[i] {
			return i
		}
	}
	return -1
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
		return s.b[from:end], place{from, end}, plainEscapes(s.b[from:end])
	}
}

// plainEscapes reports whether a text escapes only what no name of a topic, group, broker or client
// has in it, as stock clients do: then names may be compared as they are written.
func plainEscapes(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return true
		}
		text = text[at+1:] // there is at least one more: the text doesn't end with a lonely backslash
		switch text[0] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			text = text[1:]
			continue
		case 'u':
			n, ok := hexDigits(text[1:])
			if !ok || !plainEscape(n) {
				return false
			}
			text = text[5:]
			if utf16.IsSurrogate(n) {
				if !pairs(n, text) {
					return false // Java keeps half a pair; others replace it
				}
				text = text[6:]
			}
			continue
		}
		return false
	}
}

// plainEscape reports whether what is escaped is no printable ASCII, but for <, > and &, which Go
// escapes.
func plainEscape(n rune) bool { return n < ' ' || n > '~' || n == '<' || n == '>' || n == '&' }

// pairs reports whether a text begins with the second half of a surrogate pair.
func pairs(first rune, text []byte) bool {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return false
	}
	second, ok := hexDigits(text[2:])
	return ok && utf16.DecodeRune(first, second) != utf8.RuneError
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
		return ok && f.enter(Field{Key: key, Value: value, place: at})
	})
	f.at.fields = s.at - 1
	return ok
}

// Unescaped is a field's value as text: what JSON has escaped is resolved.
func (f *Frame) Unescaped(key string) string { return f.unescaped(f.Get(key)) }

// RemarkText is the remark as text: what JSON has escaped is resolved.
func (f *Frame) RemarkText() string { return f.unescaped(f.Remark) }

// Text is a field's value as text, nil without the field. It is valid as long as the frame is.
func (f *Frame) Text(key string) []byte {
	value := f.Get(key)
	if f.Binary || bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	begin := len(f.memory)
	f.memory = appendUnescaped(f.memory, value)
	return f.memory[begin:]
}

func (f *Frame) unescaped(value []byte) string {
	if f.Binary || bytes.IndexByte(value, '\\') < 0 {
		return string(value)
	}
	return string(appendUnescaped(nil, value))
}

// appendUnescaped appends what a text of a plain header stands for.
func appendUnescaped(dst, text []byte) []byte {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 || at+1 == len(text) {
			return append(dst, text...)
		}
		dst = append(dst, text[:at]...)
		c := text[at+1]
		text = text[at+2:]
		if c != 'u' {
			dst = append(dst, simpleEscape(c))
			continue
		}
		r, ok := hexDigits(text)
		if !ok {
			return append(dst, text...)
		}
		text = text[4:]
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
				second, _ = hexDigits(text[2:])
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				text = text[6:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
}

// simpleEscape is what a letter behind a backslash stands for.
func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// hexDigits reads four hexadecimal digits.
func hexDigits(text []byte) (n rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			n = n<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
