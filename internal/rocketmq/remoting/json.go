package remoting

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// fastjson (1.2.x) writes the keys of maps in their own form: {0:5}, or {{"topic":"T"}:{…}}. No
// JSON decoder reads that. The reader here does, and reads standard JSON, too. It refuses
// references ({"$ref":…}) with an error.

// maxDepth bounds nesting: bytes from outside must not exhaust the stack. RocketMQ's deepest body
// has six levels.
const maxDepth = 64

var errJSON = errors.New("malformed JSON")

// Object is a JSON object in its written order; keys are a string, a number or an object.
type Object []member

type member struct {
	Key   any
	Value any
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

// ParseObject reads a body that must be an object; an empty body reads as an empty one.
func ParseObject(b []byte) (Object, error) {
	if len(b) == 0 {
		return nil, nil
	}
	v, err := parseJSON(b)
	if err != nil {
		return nil, err
	}
	o, ok := v.(Object)
	if !ok {
		return nil, fmt.Errorf("%w: want an object", errJSON)
	}
	if _, isRef := o.find("$ref"); isRef {
		return nil, fmt.Errorf("%w: a fastjson reference, which is not supported", errJSON)
	}
	return o, nil
}

func (o Object) find(name string) (any, bool) {
	for _, m := range o {
		if k, ok := m.Key.(string); ok && k == name {
			return m.Value, true
		}
	}
	return nil, false
}

// Object is a member that is an object; absent or something else is an empty one.
func (o Object) Object(name string) Object {
	v, _ := o.find(name)
	out, _ := v.(Object)
	return out
}

// List is a member that is a list; absent or something else is an empty one.
func (o Object) List(name string) []any {
	v, _ := o.find(name)
	out, _ := v.([]any)
	return out
}

// Text is a member as text: of numbers and booleans as they are written; absent is empty.
func (o Object) Text(name string) string {
	v, _ := o.find(name)
	return TextOf(v)
}

// Number reads a member as an integer; absent or not a number is 0.
func (o Object) Number(name string) int64 {
	v, _ := o.find(name)
	n, _ := NumberOf(v)
	return n
}

// Flag reads a boolean; absent means missing.
func (o Object) Flag(name string, missing bool) bool {
	v, _ := o.find(name)
	if b, ok := v.(bool); ok {
		return b
	}
	return missing
}

// TextOf is a value as text: a string, a number or a boolean; empty for all else.
func TextOf(v any) string {
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

// NumberOf reads a number or a string of digits: keys come in both forms.
func NumberOf(v any) (int64, bool) {
	n, err := strconv.ParseInt(TextOf(v), 10, 64)
	return n, err == nil
}

// Texts reads an object of texts, such as properties.
func (o Object) Texts() map[string]string {
	out := make(map[string]string, len(o))
	for _, m := range o {
		out[TextOf(m.Key)] = TextOf(m.Value)
	}
	return out
}

// Numbers reads an object of numbers by number, such as offsets by queue; what is neither is left
// out.
func (o Object) Numbers() map[int]int64 {
	out := make(map[int]int64, len(o))
	for _, m := range o {
		key, okKey := NumberOf(m.Key)
		value, okValue := NumberOf(m.Value)
		if okKey && okValue {
			out[int(key)] = value
		}
	}
	return out
}

// PlainJSON converts a value to what encoding/json writes, so that unknown settings can be sent
// back.
func PlainJSON(v any) any {
	switch t := v.(type) {
	case Object:
		out := make(map[string]any, len(t))
		for _, m := range t {
			out[TextOf(m.Key)] = PlainJSON(m.Value)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = PlainJSON(t[i])
		}
		return out
	case number:
		return json.Number(t)
	}
	return v
}
