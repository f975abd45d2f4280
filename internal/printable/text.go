// Package printable makes text that clients, servers and people chose safe to show. A client's id,
// say, may hold whatever its author likes: raw, it could move a terminal's cursor, set its title,
// or turn the direction of a line.
package printable

import (
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is the text on one line, with escapes as those of Go for all that isn't printed: control
// characters, line breaks among them, marks of direction, other characters without a width, and
// bytes that are no UTF-8.
func Text(s string) string { return escape(s, "") }

// Lines is Text for what may have several lines and tabs.
func Lines(s string) string { return escape(s, "\n\t") }

func escape(s, but string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) || strings.ContainsRune(but, r) }
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[0]), 16))
		case plain(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		s = s[size:]
	}
	return b.String()
}

// Markdown is Text as a piece of a Markdown page, in a table's cell too: it isn't taken for HTML, a
// column's end, or code. Line breaks are spaces.
func Markdown(s string) string { return Text(markdown.Replace(s)) }

var markdown = strings.NewReplacer("\n", " ", "\r", " ", "|", `\|`, "<", "&lt;", "`", "'")

// JSON is a JSON document that means the same, and has escapes for all that isn't printed.
func JSON(text []byte) []byte {
	s := string(text)
	if strings.IndexFunc(s, unprintedInJSON) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !unprintedInJSON(r):
			b.WriteRune(r)
		case r > 0xffff: // JSON has no longer escapes: two halves
			const surrogates, half = 0x10000, 10
			b.WriteString(unicodeEscape(0xd800 + (r-surrogates)>>half))
			b.WriteString(unicodeEscape(0xdc00 + (r-surrogates)&(1<<half-1)))
		default:
			b.WriteString(unicodeEscape(r))
		}
	}
	return []byte(b.String())
}

// JSONTo is a writer of whole JSON documents, such as lines of a log, that writes each as JSON
// makes it.
func JSONTo(to io.Writer) io.Writer { return jsonTo{to} }

type jsonTo struct{ io.Writer }

// Write implements io.Writer.
func (w jsonTo) Write(text []byte) (int, error) {
	if _, err := w.Writer.Write(JSON(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// unprintedInJSON: line breaks are between its parts, as within text they have escapes.
func unprintedInJSON(r rune) bool {
	return !unicode.IsPrint(r) && r != '\n' && r != '\t' &&
		r != '\r'
}

func unicodeEscape(r rune) string {
	digits := strconv.FormatInt(int64(r), 16)
	return `\u` + strings.Repeat("0", 4-len(digits)) + digits
}

// Texts is what has text in fields that aren't exported: WithText is a copy, of the same type, in
// which all text is as the function makes it.
type Texts interface {
	WithText(as func(string) string) any
}

// All is a copy of a value in which all text is as a function such as Text makes it: that of
// exported fields, of lists and maps, of what they point to, and of Texts.
func All[T any](v T, as func(string) string) T {
	is := reflect.ValueOf(&v).Elem()
	is.Set(copied(is, as))
	return v
}

func copied(v reflect.Value, as func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	if texts, is := v.Interface().(Texts); is && v.Kind() == reflect.Struct {
		out.Set(reflect.ValueOf(texts.WithText(as)))
		return out
	}
	switch v.Kind() {
	case reflect.String:
		out.SetString(as(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(copied(v.Field(i), as))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(copied(v.Elem(), as))
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(copied(v.Elem(), as))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			copyEach(out, v, as)
		}
	case reflect.Array:
		copyEach(out, v, as)
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, key := range v.MapKeys() {
				out.SetMapIndex(copied(key, as), copied(v.MapIndex(key), as))
			}
		}
	default: // numbers, and what isn't text
	}
	return out
}

func copyEach(out, v reflect.Value, as func(string) string) {
	for i := range v.Len() {
		out.Index(i).Set(copied(v.Index(i), as))
	}
}
