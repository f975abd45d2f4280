package rocketmq

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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

// texts reads an object of texts, such as properties.
func (o object) texts() map[string]string {
	out := make(map[string]string, len(o))
	for _, m := range o {
		out[textOf(m.key)] = textOf(m.value)
	}
	return out
}

// numbers reads an object of numbers by number, such as offsets by queue; what is neither is left out.
func (o object) numbers() map[int]int64 {
	out := make(map[int]int64, len(o))
	for _, m := range o {
		key, okKey := numberOf(m.key)
		value, okValue := numberOf(m.value)
		if okKey && okValue {
			out[int(key)] = value
		}
	}
	return out
}

// plainJSON turns a value into what encoding/json writes, so that settings that we don't know can be sent back.
func plainJSON(v any) any {
	switch t := v.(type) {
	case object:
		out := make(map[string]any, len(t))
		for _, m := range t {
			out[textOf(m.key)] = plainJSON(m.value)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = plainJSON(t[i])
		}
		return out
	case number:
		return json.Number(t)
	}
	return v
}
