package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader turns a decoded document into a plan and collects what doesn't fit.
type reader struct {
	problems Problems
	depth    int
}

// object is one JSON object. Each method reads one key; end refuses the keys that none has read. A
// null counts as absent: an emptied YAML key leaves it.
type object struct {
	r       *reader
	path    string
	members map[string]any
	known   []string
}

func (o *object) take(key string) (value any, path string) {
	o.known = append(o.known, key)
	return o.members[key], join(o.path, key)
}

func (o *object) end() {
	slices.Sort(o.known)
	for _, key := range slices.Sorted(maps.Keys(o.members)) {
		if !slices.Contains(o.known, key) {
			o.r.problems.add(join(o.path, key), "unknown key; allowed: %s", strings.Join(o.known, ", "))
		}
	}
}

func (o *object) object(key string, read func(*object)) {
	v, path := o.take(key)
	switch v := v.(type) {
	case nil:
	case map[string]any:
		inner := &object{r: o.r, path: path, members: v}
		read(inner)
		inner.end()
	default:
		o.r.problems.add(path, "it is %s; want an object with keys", kindOf(v))
	}
}

func (o *object) text(key string, into *string) {
	v, path := o.take(key)
	o.r.text(path, v, into)
}

func (o *object) texts(key string, into *[]string) {
	v, path := o.take(key)
	readList(o.r, path, v, "texts", into, o.r.text)
}

func (o *object) number(key string, into *int) {
	v, path := o.take(key)
	o.r.number(path, v, into)
	if v != nil && *into == 0 {
		o.r.problems.add(path, "0 means nothing here; leave the key out for its default")
	}
}

func (o *object) yesNo(key string, into *bool) {
	v, path := o.take(key)
	if v == nil {
		return
	}
	yes, ok := v.(bool)
	if !ok {
		o.r.problems.add(path, "it is %s; want true or false", kindOf(v))
	}
	*into = yes
}

func (o *object) numbers(key string, into *[]int) {
	v, path := o.take(key)
	readList(o.r, path, v, "whole numbers", into, o.r.number)
}

func (o *object) duration(key string, into *Duration) {
	v, path := o.take(key)
	if v == nil {
		return
	}
	s, ok := v.(string)
	d, err := time.ParseDuration(s)
	switch {
	case !ok:
		o.r.problems.add(path, "it is %s; want a duration as text, such as \"10s\" or \"1m30s\"", kindOf(v))
	case err != nil:
		o.r.problems.add(path, "%s is no duration; want text such as \"10s\" or \"1m30s\"", quote(s))
	case d == 0:
		o.r.problems.add(path,
			"0 means nothing here; leave the key out for its default, or write a short duration such as \"1ms\"")
	}
	*into = Duration(d)
}

// byName reads an object of texts whose keys are names that the writer chooses.
func byName[T ~string](o *object, key string, into *map[string]T) {
	o.object(key, func(inner *object) {
		*into = map[string]T{}
		for _, name := range slices.Sorted(maps.Keys(inner.members)) {
			var value string
			inner.text(name, &value)
			(*into)[name] = T(value)
		}
	})
}

func (r *reader) text(path string, v any, into *string) {
	switch v := v.(type) {
	case nil:
	case string:
		*into = v
	default:
		r.problems.add(path, "it is %s; want text", kindOf(v))
	}
}

func (r *reader) number(path string, v any, into *int) {
	if v == nil {
		return
	}
	n, isNumber := v.(json.Number)
	i, err := strconv.Atoi(n.String())
	if !isNumber || err != nil {
		r.problems.add(path, "it is %s; want a whole number", kindOf(v))
		return
	}
	*into = i
}

func readList[T any](r *reader, path string, v any, of string, into *[]T, read func(path string, v any, into *T)) {
	if v == nil {
		return
	}
	list, ok := v.([]any)
	if !ok {
		r.problems.add(path, "it is %s; want a list of %s", kindOf(v), of)
		return
	}
	*into = make([]T, len(list))
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item == nil {
			r.problems.add(at, "the entry is empty; want a list of %s", of)
			continue
		}
		read(at, item, &(*into)[i])
	}
}

// kindOf names the kind of a JSON value, without its text, which may be a secret in the wrong
// place.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "empty"
	case string:
		return "text"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return "the number " + bounded(v.String())
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}

// join makes a path. A key that is no plain word, such as a topic's name with a dot, is quoted.
func join(path, key string) string {
	plain := key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-%|") == ""
	switch {
	case !plain:
		return path + "[" + quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
