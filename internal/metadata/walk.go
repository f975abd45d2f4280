package metadata

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one setting of an object, by its key in the document, such as queues.broker-a.read.
type field struct{ name, value string }

// fieldsOf lists the settings of an object that are known, in the order of the model. Entries of
// lists that have a broker or a name are told by it.
func fieldsOf(object any) []field {
	var all []field
	walk("", reflect.ValueOf(object), func(name, value string) { all = append(all, field{name, value}) })
	return all
}

func walk(at string, v reflect.Value, tell func(name, value string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(at, v.Elem(), tell)
		}
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			tell(at, t.Format(time.RFC3339))
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if _, options, _ := strings.Cut(f.Tag.Get("json"), ","); options == "" || !v.Field(i).IsZero() {
				walk(under(at, keyOf(f)), v.Field(i), tell)
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			walk(under(at, key.String()), v.MapIndex(key), tell)
		}
	case reflect.Slice:
		walkList(at, v, tell)
	default:
		tell(at, plain(v))
	}
}

// walkList tells a list of plain values as one setting, and each entry of another list by its name.
func walkList(at string, v reflect.Value, tell func(name, value string)) {
	if v.Type().Elem().Kind() != reflect.Struct {
		words := make([]string, v.Len())
		for i := range words {
			words[i] = plain(v.Index(i))
		}
		if len(words) > 0 {
			tell(at, strings.Join(words, " "))
		}
		return
	}
	for i := range v.Len() {
		entry, name := v.Index(i), strconv.Itoa(i)
		if f := entry.Field(0); f.Kind() == reflect.String && f.String() != "" {
			name = f.String()
		}
		walk(under(at, name), entry, func(setting, value string) {
			if setting != under(under(at, name), keyOf(entry.Type().Field(0))) {
				tell(setting, value)
			}
		})
	}
}

func plain(v reflect.Value) string { return fmt.Sprint(v.Interface()) }

// Settings are the known settings of a topic, group or another object of a model, by their keys in
// the document.
func Settings(object any) map[string]string {
	all := map[string]string{}
	for _, f := range fieldsOf(object) {
		all[f.name] = f.value
	}
	return all
}
