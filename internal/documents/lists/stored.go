package lists

import (
	"context"
	"encoding/json"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents"
)

// InlineBytes is how much of one answer stands in a history itself, as JSON: about 400 names, so
// that small migrations are read in the Web UI. A payload holds a few such lists, and has to stay
// under 256 kB.
const InlineBytes = 16 << 10

// In are the lists of one migration.
type In struct {
	Store     *documents.Store
	Migration string
	Bounded   bool // what is long stands in documents
}

// Room is what a list may take in a history.
type Room struct {
	inline int // bytes as JSON, up to which it stands there itself
	items  int // first items that are told of a list in a document
	bytes  int // and at most so many bytes of them
}

var (
	// NamesRoom is for names: of a hundred waves, four lists have to fit in one payload.
	NamesRoom = Room{InlineBytes, 5, 200}
	// RowsRoom is for what is measured again and again while a person is waited for, and told to
	// the parent each time: 20 rows are a page.
	RowsRoom = Room{4 << 10, 20, 3 << 10}
)

// Resolve reads the items of a list, wherever they stand.
func Resolve[T any](ctx context.Context, s *documents.Store, l api.List[T]) ([]T, error) {
	if items, inline := l.Inline(); inline {
		return items, nil
	}
	var all []T
	if err := readDocument(ctx, s, *l.Document(), &all); err != nil {
		return nil, err
	}
	from, to := l.Range()
	if to > len(all) {
		return nil, fault.Invalid(
			"document %s has %d entries, and %d to %d are asked for",
			l.Document(),
			len(all),
			from,
			to,
		)
	}
	return all[from:to:to], nil
}

// Bounded is a list as it may stand in a history: in a document if it is long and bounded answers
// are wanted.
func Bounded[T any](
	ctx context.Context, in In, kind string, items []T, room Room,
) (api.List[T], error) {
	if !in.Bounded || Size(items) <= room.inline {
		return api.Some(items...), nil
	}
	return Stored(ctx, in, kind, items, room)
}

// shared is a list beside others in one payload: what is longer than their first items is in a
// document.
func shared[T any](
	ctx context.Context, in In, kind string, items []T, room Room,
) (api.List[T], error) {
	room.inline = room.bytes
	return Bounded(ctx, in, kind, items, room)
}

// Stored is a list in a document.
func Stored[T any](
	ctx context.Context, in In, kind string, items []T, room Room,
) (api.List[T], error) {
	ref, err := in.writeDocument(ctx, kind, items)
	if err != nil {
		return api.List[T]{}, err
	}
	return api.InDocument(ref, 0, len(items), Beginning(items, room)), nil
}

// Beginning are the first items that are told without the document.
func Beginning[T any](items []T, room Room) []T {
	first := items[:min(room.items, len(items))]
	for len(first) > 0 && Size(first) > room.bytes {
		first = first[:len(first)-1]
	}
	return first
}

// Size is how many bytes a value has as JSON.
func Size(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0 // whoever sends it says why
	}
	return len(b)
}

// AnswersOf are all answers, wherever they stand.
func AnswersOf(
	ctx context.Context, s *documents.Store, earlier api.List[api.LaneAnswer], answers []api.LaneAnswer,
) ([]api.LaneAnswer, error) {
	before, err := Resolve(ctx, s, earlier)
	return slices.Concat(before, answers), err
}

// InlineAtWorst is a list as it may stand in a history. The way back never waits for the store:
// where that doesn't take a long list, the list stands in the history itself, which takes it.
func InlineAtWorst(ctx context.Context, in In, kind string, names []string) api.Names {
	list, err := Bounded(ctx, in, kind, names, NamesRoom)
	if err != nil {
		return api.Some(names...)
	}
	return list
}
