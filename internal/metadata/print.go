package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	goyaml "go.yaml.in/yaml/v2"
)

// YAML is the document with its keys in the order of the model. The same model gives the same
// bytes. Large ones are written on all cores, and little of them is in memory twice.
func (c Cluster) YAML() ([]byte, error) {
	all := partsOf(c)
	texts, errs := make([][]byte, len(all)), make([]error, len(all))
	var wait sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, part := range all {
		room <- struct{}{}
		wait.Go(func() {
			texts[i], errs[i] = goyaml.Marshal(part.ordered())
			<-room
		})
	}
	wait.Wait()
	return bytes.Join(texts, nil), errors.Join(errs...)
}

// together is how many objects of a list are written at a time.
const together = 500

// part is what can be written alone: a key with its value or, without a key, what follows in a list,
// which isn't indented and so has the same bytes.
type part struct {
	key   string
	value reflect.Value
}

func (p part) ordered() any {
	if p.key == "" {
		return ordered(p.value)
	}
	return goyaml.MapSlice{{Key: p.key, Value: ordered(p.value)}}
}

func partsOf(c Cluster) (parts []part) {
	for key, v := range keysOf(reflect.ValueOf(c)) {
		if v.Kind() != reflect.Slice || v.Len() <= together {
			parts = append(parts, part{key, v})
			continue
		}
		for from := 0; from < v.Len(); from += together {
			parts = append(parts, part{key, v.Slice(from, min(from+together, v.Len()))})
			key = ""
		}
	}
	return parts
}

// keysOf are the keys that a struct has as JSON.
func keysOf(v reflect.Value) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if (options == "" || !absent(v.Field(i))) && !yield(keyOf(f), v.Field(i)) {
				return
			}
		}
	}
}

// ordered is a value of the model with its keys as JSON has them.
func ordered(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return ordered(v.Elem())
	case reflect.Struct:
		if t, is := v.Interface().(time.Time); is {
			return t.Format(time.RFC3339Nano)
		}
		out := goyaml.MapSlice{}
		for key, value := range keysOf(v) {
			out = append(out, goyaml.MapItem{Key: key, Value: ordered(value)})
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = ordered(v.Index(i))
		}
		return out
	case reflect.Map:
		out := goyaml.MapSlice{}
		for _, key := range v.MapKeys() {
			out = append(out, goyaml.MapItem{Key: key.String(), Value: ordered(v.MapIndex(key))})
		}
		slices.SortFunc(out, func(a, b goyaml.MapItem) int { return strings.Compare(a.Key.(string), b.Key.(string)) })
		return out
	case reflect.String:
		return strings.ToValidUTF8(v.String(), "�")
	default:
		return v.Interface()
	}
}

// absent reports whether a field that may be left out is.
func absent(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

// JSON is the document, indented, as diffs of lines like it.
func (c Cluster) JSON() ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(c)
	return text.Bytes(), err
}

// Document is the door out to the model itself; AsJSON chooses JSON instead of YAML.
type Document struct{ AsJSON bool }

// Write writes everything: there are no gaps.
func (d Document) Write(to io.Writer, c Cluster) (Gaps, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	print := c.YAML
	if d.AsJSON {
		print = c.JSON
	}
	text, err := print()
	if err == nil {
		_, err = to.Write(text)
	}
	return nil, err
}
