package brokerjson

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// Document parses a file or an answer that must be an object.
func Document(text []byte) (remoting.Object, error) {
	if len(text) == 0 {
		return nil, errors.New("it is empty")
	}
	o, err := remoting.ParseObject(text)
	if err != nil {
		return nil, fmt.Errorf("%w: is it written whole?", err)
	}
	return o, nil
}

// failure keeps the first error of a reading.
type failure struct{ err error }

func (f *failure) add(at, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...))
	}
}

// object is one object of a document, of which each key is read once.
type object struct {
	at      string
	members map[string]any
	read    map[string]bool
	failed  *failure
}

// open takes an object apart. It refuses repeated keys. What is absent is an empty object.
func open(at string, v any, failed *failure) object {
	o, is := v.(remoting.Object)
	if !is && v != nil {
		failed.add(at, "it is %s; want an object", kindOf(v))
	}
	out := object{at: at, members: make(map[string]any, len(o)), read: map[string]bool{}, failed: failed}
	for _, m := range o {
		key := remoting.TextOf(m.Key)
		if _, twice := out.members[key]; twice {
			failed.add(out.key(key), "the key is there twice")
		}
		out.members[key] = m.Value
	}
	return out
}

func (o object) inner(name string) object { return open(o.key(name), o.take(name), o.failed) }

func (o object) key(name string) string {
	if len(name) > 60 {
		name = strings.ToValidUTF8(name[:60], "") + "..."
	}
	if q := fmt.Sprintf("%+q", name); q != `"`+name+`"` || name == "" {
		name = q
	}
	if o.at == "" {
		return name
	}
	return o.at + "." + name
}

func (o object) take(name string) any {
	o.read[name] = true
	return o.members[name]
}

// names are the object's keys, sorted, so that the first error is always the same one.
func (o object) names() []string { return slices.Sorted(maps.Keys(o.members)) }

// unread are the keys that nothing has read.
func (o object) unread() []string {
	return slices.DeleteFunc(o.names(), func(name string) bool { return o.read[name] })
}

// number reads a whole number from least to most; nil if it is absent.
func (o object) number(name string, least, most int64) *int64 {
	v := o.take(name)
	if v == nil {
		return nil
	}
	n, ok := remoting.NumberOf(v)
	switch {
	case !ok:
		o.failed.add(o.key(name), "it is %s; want a whole number", kindOf(v))
	case n < least || n > most:
		o.failed.add(o.key(name), "%d is out of range: %d to %d", n, least, most)
	default:
		return &n
	}
	return nil
}

// small reads a number that fits into 32 bits.
func (o object) small(name string, least, most int64) *int {
	n := o.number(name, least, min(most, math.MaxInt32))
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

func (o object) flag(name string) *bool {
	v := o.take(name)
	if v == nil {
		return nil
	}
	b, ok := v.(bool)
	if !ok {
		o.failed.add(o.key(name), "it is %s; want true or false", kindOf(v))
		return nil
	}
	return &b
}

func (o object) text(name string) string {
	v := o.take(name)
	s, ok := v.(string)
	if v != nil && !ok {
		o.failed.add(o.key(name), "it is %s; want text", kindOf(v))
	}
	return s
}

func (o object) list(name string) []any {
	v := o.take(name)
	l, ok := v.([]any)
	if v != nil && !ok {
		o.failed.add(o.key(name), "it is %s; want a list", kindOf(v))
	}
	return l
}

// texts reads an object of texts; numbers and flags count as they are written.
func (o object) texts(name string) map[string]string {
	inner := o.inner(name)
	if len(inner.members) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, key := range inner.names() {
		v := inner.members[key]
		if out[key] = remoting.TextOf(v); out[key] == "" && v != "" {
			o.failed.add(inner.key(key), "it is %s; want text", kindOf(v))
		}
	}
	return out
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "empty"
	case string:
		return "text"
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case remoting.Object:
		return "an object"
	}
	text := remoting.TextOf(v)
	if len(text) > 30 {
		text = text[:30] + "..."
	}
	return "the number " + text
}
