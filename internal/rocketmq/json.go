package rocketmq

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// fastjson (1.2.x) writes maps with other than string keys as they come: {0:5}, or {{"topic":"T"}:{…}}. No JSON decoder reads
// that, so here is a reader that does, and standard JSON as well. It refuses references ({"$ref":…}) loudly.

// maxDepth bounds nesting: bytes from outside must not exhaust the stack. RocketMQ's deepest body has six levels.
const maxDepth = 64

var errJSON = errors.New("malformed JSON")

// object is a JSON object in its written order; keys are a string, a number or an object.
type object []member

type member struct {
	key   any
	value any
}

// number keeps the digits as written.
type number string

// parseJSON reads one value: object, []any, string, number, bool or nil.
func parseJSON(b []byte) (any, error) {
	p := &jsonParser{s: b}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at != len(p.s) {
		return nil, p.fail("text after the value")
	}
	return v, nil
}

// parseObject reads a body that must be an object; an empty body reads as an empty one.
func parseObject(b []byte) (object, error) {
	if len(b) == 0 {
		return nil, nil
	}
	v, err := parseJSON(b)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("%w: want an object", errJSON)
	}
	if _, isRef := o.find("$ref"); isRef {
		return nil, fmt.Errorf("%w: a fastjson reference, which is not supported", errJSON)
	}
	return o, nil
}

func (o object) find(name string) (any, bool) {
	for _, m := range o {
		if k, ok := m.key.(string); ok && k == name {
			return m.value, true
		}
	}
	return nil, false
}

func (o object) object(name string) object {
	v, _ := o.find(name)
	out, _ := v.(object)
	return out
}

func (o object) list(name string) []any {
	v, _ := o.find(name)
	out, _ := v.([]any)
	return out
}

func (o object) text(name string) string {
	v, _ := o.find(name)
	return textOf(v)
}

// number reads a member as an integer; absent or not a number is 0.
func (o object) number(name string) int64 {
	v, _ := o.find(name)
	n, _ := numberOf(v)
	return n
}

// flag reads a boolean; absent means missing.
func (o object) flag(name string, missing bool) bool {
	v, _ := o.find(name)
	if b, ok := v.(bool); ok {
		return b
	}
	return missing
}

func textOf(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case number:
		return string(t)
	case bool:
		return strconv.FormatBool(t)
	}
	return ""
}

// numberOf reads a number or a string of digits: keys come in both forms.
func numberOf(v any) (int64, bool) {
	n, err := strconv.ParseInt(textOf(v), 10, 64)
	return n, err == nil
}

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
	o := object{}
	if p.eat('}') {
		return o, nil
	}
	for {
		key, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		switch key.(type) {
		case string, number, object:
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
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\'': '\'', '0': 0,
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
