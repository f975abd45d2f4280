package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"rocketshift/internal/documents"
	"rocketshift/internal/printable"
)

// inlineBytes is how much of one answer stands in a history itself, as JSON: about 400 names, so
// that small migrations are read in the Web UI. A payload holds a few such lists, and has to stay
// under 256 kB.
const inlineBytes = 16 << 10

// room is what a list may take in a history.
type room struct {
	inline int // bytes as JSON, up to which it stands there itself
	items  int // first items that are told of a list in a document
	bytes  int // and at most so many bytes of them
}

var (
	// namesRoom is for names: of a hundred waves, four lists have to fit in one payload.
	namesRoom = room{inlineBytes, 5, 200}
	// rowsRoom is for what is measured again and again while a person is waited for, and told to
	// the parent each time: 20 rows are a page.
	rowsRoom = room{4 << 10, 20, 3 << 10}
)

// List is a list of any length that takes little room in a history: itself while it is short, else
// a range of a list in a document, with its first items. The zero value is empty. Its JSON is an
// array, or an object with the document.
type List[T any] struct {
	items []T
	in    *documents.Reference
	// [from, to) is the range in the document
	from, to int
	first    []T // of the range; may be empty
}

// Names is how lists of topics and groups travel.
type Names = List[string]

// Some is a list that stands in the history itself: of names that were given one by one, or of few.
func Some[T any](items ...T) List[T] { return List[T]{items: items} }

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

// Document is where the list stands, or nil.
func (l List[T]) Document() *documents.Reference { return l.in }

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
	Document *documents.Reference `json:"document"`
	From     int                  `json:"from"`
	To       int                  `json:"to"`
	First    []T                  `json:"first,omitempty"`
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

// resolve reads the items of a list, wherever they stand.
func resolve[T any](ctx context.Context, s Settings, l List[T]) ([]T, error) {
	if l.in == nil {
		return l.items, nil
	}
	var all []T
	if err := s.readDocument(ctx, *l.in, &all); err != nil {
		return nil, err
	}
	if l.to > len(all) {
		return nil, invalid("document %s has %d entries, and %d to %d are asked for", l.in, len(all), l.from, l.to)
	}
	return all[l.from:l.to:l.to], nil
}

// bounded is a list as it may stand in a history: in a document if it is long and the request wants
// bounded answers.
func bounded[T any](
	ctx context.Context, s Settings, r Request, kind string, items []T, room room,
) (List[T], error) {
	if !r.Bounded || size(items) <= room.inline {
		return Some(items...), nil
	}
	return stored(ctx, s, r, kind, items, room)
}

// shared is a list beside others in one payload: what is longer than their first items is in a
// document.
func shared[T any](
	ctx context.Context, s Settings, r Request, kind string, items []T, room room,
) (List[T], error) {
	room.inline = room.bytes
	return bounded(ctx, s, r, kind, items, room)
}

// stored is a list in a document.
func stored[T any](
	ctx context.Context, s Settings, r Request, kind string, items []T, room room,
) (List[T], error) {
	ref, err := s.writeDocument(ctx, r.Plan.Name, kind, items)
	if err != nil {
		return List[T]{}, err
	}
	return List[T]{in: &ref, to: len(items), first: beginning(items, room)}, nil
}

// beginning are the first items that are told without the document.
func beginning[T any](items []T, room room) []T {
	first := items[:min(room.items, len(items))]
	for len(first) > 0 && size(first) > room.bytes {
		first = first[:len(first)-1]
	}
	return first
}

// size is how many bytes a value has as JSON.
func size(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0 // whoever sends it says why
	}
	return len(b)
}

// groups are those of the request, without the ones that are left alone.
func (s Settings) groups(ctx context.Context, r GroupsRequest) ([]string, error) {
	groups, err := resolve(ctx, s, r.Groups)
	if err != nil || len(r.But) == 0 {
		return groups, err
	}
	but := map[string]bool{}
	for _, name := range r.But {
		but[name] = true
	}
	return slices.DeleteFunc(slices.Clone(groups), func(name string) bool { return but[name] }), nil
}

// among are the names that are in the other list too.
func among(names, others []string) []string {
	there := map[string]bool{}
	for _, name := range others {
		there[name] = true
	}
	return slices.DeleteFunc(names, func(name string) bool { return !there[name] })
}

// fewOf is how many rows of a result are told that only people read.
func fewOf(r Request) int {
	if r.Bounded {
		return 20 // as many as a page of the Web UI shows
	}
	return math.MaxInt
}
