package remoting

import (
	"bytes"
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner takes pieces of JSON text one after the other, and allocates nothing. It reads what stock
// clients and brokers write, without space between pieces. It refuses all other text, which needs a
// complete parser.
type Scanner struct {
	b  []byte
	at int
}

// NewScanner scans text from its beginning.
func NewScanner(text []byte) Scanner { return Scanner{b: text} }

// At is the place of the next piece.
func (s *Scanner) At() int { return s.at }

// Done reports whether the text has ended.
func (s *Scanner) Done() bool { return s.at == len(s.b) }

// Take takes one byte, if it is the next one.
func (s *Scanner) Take(c byte) bool {
	if s.at >= len(s.b) || s.b[s.at] != c {
		return false
	}
	s.at++
	return true
}

// Literal takes a word, if it comes next.
func (s *Scanner) Literal(word string) bool {
	if !bytes.HasPrefix(s.b[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

// Text takes a text. It returns the text with its escapes, and the place where it begins.
func (s *Scanner) Text() (text []byte, from int, ok bool) {
	if !s.Take('"') {
		return nil, 0, false
	}
	for from, look := s.at, s.at; ; {
		n := bytes.IndexByte(s.b[look:], '"')
		if n < 0 {
			return nil, 0, false
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
		return s.b[from:end], from, plainEscapes(s.b[from:end])
	}
}

// plainEscapes reports whether a text escapes only characters that no name of a topic, group,
// broker or client has. Stock clients escape no others. Then names may be compared as they are
// written.
func plainEscapes(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return true
		}
		text = text[at+1:] // there is at least one more byte: the text doesn't end with a single backslash
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
					return false // Java keeps half a pair, others replace it
				}
				text = text[6:]
			}
			continue
		}
		return false
	}
}

// plainEscape reports whether an escaped character is no printable ASCII, or is <, > or &, which Go
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

// Number32 takes a whole number of 32 bits. It also returns the place where the number begins.
func (s *Scanner) Number32() (n int32, from int, ok bool) {
	from = s.at
	for s.at < len(s.b) && (s.b[s.at] == '-' || s.b[s.at] >= '0' && s.b[s.at] <= '9') {
		s.at++
	}
	wide, ok := ParseNumber(s.b[from:s.at])
	return int32(wide), from, ok && wide >= math.MinInt32 && wide <= math.MaxInt32
}

// Object takes an object; value takes the value of each key.
func (s *Scanner) Object(value func(key []byte) bool) bool {
	if !s.Take('{') {
		return false
	}
	if s.Take('}') {
		return true
	}
	for {
		key, _, ok := s.Text()
		if !ok || !s.Take(':') || !value(key) {
			return false
		}
		if s.Take('}') {
			return true
		}
		if !s.Take(',') {
			return false
		}
	}
}

// ParseNumber reads a decimal number without converting it to a string.
func ParseNumber(b []byte) (n int64, ok bool) {
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

// AppendUnescaped appends what a text of a plain header stands for.
func AppendUnescaped(dst, text []byte) []byte {
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

// simpleEscape is the byte that a letter after a backslash stands for.
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
