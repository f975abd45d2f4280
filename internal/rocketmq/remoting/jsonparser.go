package remoting

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonParser walks the bytes once; every position that it reads is checked.
type jsonParser struct {
	s  []byte
	at int
}

func (p *jsonParser) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errJSON, what, p.at)
}

func (p *jsonParser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

// next skips space and looks at the next byte, 0 at the end.
func (p *jsonParser) next() byte {
	p.space()
	if p.at == len(p.s) {
		return 0
	}
	return p.s[p.at]
}

func (p *jsonParser) eat(c byte) bool {
	if p.next() == c && p.at < len(p.s) {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.fail("nested too deeply")
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number(), nil
	}
	for word, v := range map[string]any{"true": true, "false": false, "null": nil} {
		if strings.HasPrefix(string(p.s[p.at:min(p.at+5, len(p.s))]), word) {
			p.at += len(word)
			return v, nil
		}
	}
	return nil, p.fail("want a value")
}

func (p *jsonParser) object(depth int) (any, error) {
	p.at++
	o := Object{}
	if p.eat('}') {
		return o, nil
	}
	for {
		key, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		switch key.(type) {
		case string, number, Object:
		default:
			return nil, p.fail("want a key")
		}
		if !p.eat(':') {
			return nil, p.fail("want ':'")
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{key, v})
		if p.eat('}') {
			return o, nil
		}
		if !p.eat(',') {
			return nil, p.fail("want ',' or '}'")
		}
	}
}

func (p *jsonParser) array(depth int) (any, error) {
	p.at++
	list := []any{}
	if p.eat(']') {
		return list, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if p.eat(']') {
			return list, nil
		}
		if !p.eat(',') {
			return nil, p.fail("want ',' or ']'")
		}
	}
}

func (p *jsonParser) number() number {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte("+-.eE0123456789", p.s[p.at]) >= 0 {
		p.at++
	}
	return number(p.s[start:p.at])
}

func (p *jsonParser) text() (string, error) {
	p.at++
	var out []byte
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		switch c {
		case '"':
			return string(out), nil
		case '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		default:
			out = append(out, c)
		}
	}
	return "", p.fail("the string has no end")
}

// escapes are JSON's and the ones that fastjson adds.
var escapes = map[byte]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'\'': '\'', '0': 0,
}

func (p *jsonParser) escape(out []byte) ([]byte, error) {
	if p.at == len(p.s) {
		return nil, p.fail("the escape has no end")
	}
	c := p.s[p.at]
	p.at++
	if c != 'u' {
		plain, ok := escapes[c]
		if !ok {
			return nil, p.fail("unknown escape")
		}
		return append(out, plain), nil
	}
	r, err := p.hex4()
	if err != nil {
		return nil, err
	}
	if utf16.IsSurrogate(r) && p.at+1 < len(p.s) && p.s[p.at] == '\\' && p.s[p.at+1] == 'u' {
		p.at += 2
		low, err := p.hex4()
		if err != nil {
			return nil, err
		}
		r = utf16.DecodeRune(r, low)
	}
	return utf8.AppendRune(out, r), nil
}

func (p *jsonParser) hex4() (rune, error) {
	if p.at+4 > len(p.s) {
		return 0, p.fail("the escape has no end")
	}
	n, err := strconv.ParseUint(string(p.s[p.at:p.at+4]), 16, 32)
	if err != nil {
		return 0, p.fail("not four hex digits")
	}
	p.at += 4
	return rune(n), nil
}
