package bodies

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// word takes null, true or false.
func (r *onceReader) word() bool {
	for _, word := range [...]string{"null", "true", "false"} {
		if bytes.HasPrefix(r.in[r.at:], []byte(word)) {
			r.at += len(word)
			return true
		}
	}
	return false
}

// number takes a number.
func (r *onceReader) number() bool {
	r.take('-')
	if !r.take('0') && !r.digits() {
		return false
	}
	if r.take('.') && !r.digits() {
		return false
	}
	if r.take('e') || r.take('E') {
		if !r.take('+') {
			r.take('-')
		}
		return r.digits()
	}
	return true
}

// digits takes one or more.
func (r *onceReader) digits() bool {
	begin := r.at
	for c := r.next(); c >= '0' && c <= '9'; c = r.next() {
		r.at++
	}
	return r.at > begin
}

// text takes a text, which is returned with its escapes, and reports whether it has any.
func (r *onceReader) text() (text []byte, escaped, ok bool) {
	if !r.take('"') {
		return nil, false, false
	}
	rest := r.in[r.at:]
	for at := 0; at < len(rest); at++ {
		switch c := rest[at]; {
		case c == '"':
			r.at += at + 1
			return rest[:at], escaped, true
		case c < ' ':
			return nil, false, false
		case c == '\\':
			escaped = true
			n := escapeOf(rest[at:])
			if n == 0 {
				return nil, false, false
			}
			at += n - 1
		}
	}
	return nil, false, false
}

// escapeOf is how long the escape is that a text begins with; 0 if it is none.
func escapeOf(text []byte) int {
	const long = 6 // \u and four digits
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(text) >= long {
			if _, err := strconv.ParseUint(string(text[2:long]), 16, 16); err == nil {
				return long
			}
		}
	}
	return 0
}

// halved reports whether a text has an escape of half a surrogate pair, or one of what stands for
// text that can't be read.
func halved(text []byte) bool {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return false
		}
		text = text[at:]
		if text[1] != 'u' {
			text = text[2:]
			continue
		}
		one := escapedRune(text)
		text = text[6:]
		switch {
		case one == utf8.RuneError:
			return true
		case utf16.IsSurrogate(one):
			if len(text) < 6 || text[0] != '\\' || text[1] != 'u' ||
				utf16.DecodeRune(one, escapedRune(text)) == utf8.RuneError {
				return true
			}
			text = text[6:]
		}
	}
}

// escapedRune is what a text begins with that begins with \u and four digits.
func escapedRune(text []byte) rune {
	n, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // it is valid
	return rune(n)
}

// appendPlain appends what a name with escapes stands for, and reports false if that is no
// printable ASCII.
func appendPlain(dst, name []byte) (out []byte, plain bool) {
	for len(name) > 0 {
		c, size := rune(name[0]), 1
		if c == '\\' {
			switch c, size = rune(name[1]), 2; c {
			case '"', '\\', '/':
			case 'u':
				c, size = escapedRune(name), 6
			default: // a control character
				return dst, false
			}
		}
		if c <= ' ' || c > '~' {
			return dst, false
		}
		dst, name = append(dst, byte(c)), name[size:]
	}
	return dst, true
}

// PlainName reports whether a member's name is a usual one: Go takes some letters that aren't ASCII
// for others in names, and fastjson obeys @type and $ref.
func PlainName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(name) > 0 && name[0] != '@' && name[0] != '$'
}
