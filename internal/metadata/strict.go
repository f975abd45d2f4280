package metadata

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// into fills a value of the model from a decoded document. It refuses unknown keys and wrong types,
// and names the key. A null counts as absent.
func into(at string, v any, to reflect.Value) error {
	if v == nil {
		return nil
	}
	if to.Type() == reflect.TypeFor[time.Time]() {
		return intoTime(at, v, to)
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return into(at, v, to.Elem())
	case reflect.Struct:
		return intoStruct(at, v, to)
	case reflect.Slice:
		return intoList(at, v, to)
	case reflect.Map:
		return intoMap(at, v, to)
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			return wrong(at, v, "text; put it into quotes")
		}
		to.SetString(s)
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			return wrong(at, v, "true or false")
		}
		to.SetBool(b)
	default:
		n, isNumber := v.(json.Number)
		i, err := strconv.ParseInt(n.String(), 10, 64)
		if !isNumber || err != nil || to.OverflowInt(i) {
			return wrong(at, v, "a whole number")
		}
		to.SetInt(i)
	}
	return nil
}

func intoTime(at string, v any, to reflect.Value) error {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return wrong(at, v, `a time such as "2026-11-30T12:00:00Z"`)
	}
	to.Set(reflect.ValueOf(t))
	return nil
}

func intoStruct(at string, v any, to reflect.Value) error {
	members, ok := v.(map[string]any)
	if !ok {
		return wrong(at, v, "an object with keys")
	}
	fields := map[string]int{}
	for i := range to.NumField() {
		fields[keyOf(to.Type().Field(i))] = i
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		i, known := fields[key]
		if !known {
			return fmt.Errorf("%s: unknown key; allowed: %s", under(at, key),
				strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		if err := into(under(at, key), members[key], to.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func intoList(at string, v any, to reflect.Value) error {
	list, ok := v.([]any)
	if !ok {
		return wrong(at, v, "a list")
	}
	if len(list) > MostOfAList {
		return fmt.Errorf("%s: %d entries; at most %d are read", at, len(list), MostOfAList)
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	for i, one := range list {
		here := fmt.Sprintf("%s[%d]", at, i)
		if one == nil {
			return fmt.Errorf("%s: the entry is empty; take it away, or fill it in", here)
		}
		if members, ok := one.(map[string]any); ok {
			if name, ok := members["name"].(string); ok {
				here += " (" + quoted(name) + ")"
			}
		}
		if err := into(here, one, to.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func intoMap(at string, v any, to reflect.Value) error {
	members, ok := v.(map[string]any)
	if !ok {
		return wrong(at, v, "an object of texts")
	}
	to.Set(reflect.MakeMap(to.Type()))
	for _, key := range slices.Sorted(maps.Keys(members)) {
		value := reflect.New(to.Type().Elem()).Elem()
		if err := into(under(at, key), members[key], value); err != nil {
			return err
		}
		to.SetMapIndex(reflect.ValueOf(key), value)
	}
	return nil
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}

func under(at, key string) string {
	if q := quoted(key); q != key {
		key = q
	}
	if at == "" {
		return key
	}
	return at + "." + key
}

func wrong(at string, v any, want string) error {
	is := "an object"
	switch v := v.(type) {
	case string:
		is = "the text " + quoted(v)
	case bool:
		is = strconv.FormatBool(v)
	case json.Number:
		is = "the number " + quoted(v.String())
	case []any:
		is = "a list"
	}
	return fmt.Errorf("%s: it is %s; want %s", at, is, want)
}
