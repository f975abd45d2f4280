package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/printable"
)

// List is a list of any length that takes little space in a history: a short one itself, of a long
// one a range of a list in a document, with its first items. The zero value is empty. Its JSON is
// an array, or an object with the document.
type List[T any] struct {
	items []T
	in    *Reference
	// [from, to) is the range in the document
	from, to int
	first    []T // of the range; may be empty
}

// Names is a list of topics or groups.
type Names = List[string]

// Some is a list that is in the history itself, of items that are given one by one.
func Some[T any](items ...T) List[T] { return List[T]{items: items} }

// InDocument is a list in a document, items [from, to) of it, with its first items.
func InDocument[T any](document Reference, from, to int, first []T) List[T] {
	return List[T]{in: &document, from: from, to: to, first: first}
}

// Range is where the list stands in its document: items [from, to).
func (l List[T]) Range() (from, to int) { return l.from, l.to }

// Without is the list without the items for which the function is true. Of a list in a document it
// is only the first items.
func (l List[T]) Without(is func(T) bool) List[T] {
	l.items = slices.DeleteFunc(slices.Clone(l.items), is)
	l.first = slices.DeleteFunc(slices.Clone(l.first), is)
	return l
}

// Len is how many items the list has.
func (l List[T]) Len() int {
	if l.in != nil {
		return l.to - l.from
	}
	return len(l.items)
}

// Inline returns the items of a list that isn't in a document.
func (l List[T]) Inline() (items []T, ok bool) { return l.items, l.in == nil }

// First are the first items, as many as are known without the document.
func (l List[T]) First() []T {
	if l.in != nil {
		return l.first
	}
	return l.items
}

// Document is the document that holds the list, or nil.
func (l List[T]) Document() *Reference { return l.in }

// Cut is the part [from, to) of the list.
func (l List[T]) Cut(from, to int) List[T] {
	to = min(to, l.Len())
	from = min(from, to)
	if l.in == nil {
		return List[T]{items: l.items[from:to:to]}
	}
	part := List[T]{in: l.in, from: l.from + from, to: l.from + to}
	if from < len(l.first) {
		part.first = l.first[from:min(to, len(l.first))]
	}
	return part
}

// Chunks cuts the list into parts of at most so many items.
func (l List[T]) Chunks(size int) []List[T] {
	var parts []List[T]
	for from := 0; from < l.Len(); from += size {
		parts = append(parts, l.Cut(from, from+size))
	}
	return parts
}

// Parts cuts the list into at most so many parts of about one size, each of at least atLeast items.
func (l List[T]) Parts(most, atLeast int) []List[T] {
	return l.Chunks(max(atLeast, (l.Len()+most-1)/most))
}

// String is for logs.
func (l List[T]) String() string {
	if l.in != nil {
		return fmt.Sprintf("%d of %s", l.Len(), l.in)
	}
	return fmt.Sprint(l.items)
}

// WithText is a copy with all text as the function makes it.
func (l List[T]) WithText(as func(string) string) any {
	l.items, l.first, l.in = printable.All(l.items, as), printable.All(l.first, as), printable.All(l.in, as)
	return l
}

// IsZero lets JSON leave out an empty list.
func (l List[T]) IsZero() bool { return l.Len() == 0 }

// listJSON is a list in a document.
type listJSON[T any] struct {
	Document *Reference `json:"document"`
	From     int        `json:"from"`
	To       int        `json:"to"`
	First    []T        `json:"first,omitempty"`
}

// MarshalJSON writes an array, or the document's reference.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l.in != nil {
		return json.Marshal(listJSON[T]{l.in, l.from, l.to, l.first})
	}
	return json.Marshal(l.items)
}

// UnmarshalJSON reads either form.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	*l = List[T]{}
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, &l.items)
	}
	var ref listJSON[T]
	if err := json.Unmarshal(b, &ref); err != nil {
		return err
	}
	switch {
	case ref.Document == nil:
		return fmt.Errorf("a list is an array, or names its document: %.80s", b)
	case ref.From < 0 || ref.To < ref.From:
		return fmt.Errorf("document %s: from %d to %d is no range", ref.Document, ref.From, ref.To)
	}
	*l = List[T]{in: ref.Document, from: ref.From, to: ref.To, first: ref.First}
	return nil
}

// Short names the first few of a list and counts the rest.
func Short(names Names) string {
	const shown = 5
	first := names.First()
	first = first[:min(shown, len(first))]
	switch rest := names.Len() - len(first); {
	case rest == 0:
		return strings.Join(first, ", ")
	case len(first) == 0:
		return fmt.Sprintf("%d, number %d to %d of their list", rest, names.from+1, names.to)
	default:
		return fmt.Sprintf("%s and %d more", strings.Join(first, ", "), rest)
	}
}
