package activities

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
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

// resolve reads the items of a list, wherever they stand.
func resolve[T any](ctx context.Context, s Settings, l api.List[T]) ([]T, error) {
	if items, inline := l.Inline(); inline {
		return items, nil
	}
	var all []T
	if err := s.readDocument(ctx, *l.Document(), &all); err != nil {
		return nil, err
	}
	from, to := l.Range()
	if to > len(all) {
		return nil, fault.Invalid("document %s has %d entries, and %d to %d are asked for", l.Document(), len(all), from, to)
	}
	return all[from:to:to], nil
}

// bounded is a list as it may stand in a history: in a document if it is long and the request wants
// bounded answers.
func bounded[T any](
	ctx context.Context, s Settings, r Request, kind string, items []T, room room,
) (api.List[T], error) {
	if !r.Bounded || size(items) <= room.inline {
		return api.Some(items...), nil
	}
	return stored(ctx, s, r, kind, items, room)
}

// shared is a list beside others in one payload: what is longer than their first items is in a
// document.
func shared[T any](
	ctx context.Context, s Settings, r Request, kind string, items []T, room room,
) (api.List[T], error) {
	room.inline = room.bytes
	return bounded(ctx, s, r, kind, items, room)
}

// stored is a list in a document.
func stored[T any](
	ctx context.Context, s Settings, r Request, kind string, items []T, room room,
) (api.List[T], error) {
	ref, err := s.writeDocument(ctx, r.Plan.Name, kind, items)
	if err != nil {
		return api.List[T]{}, err
	}
	return api.InDocument(ref, 0, len(items), beginning(items, room)), nil
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

// collected reads the names, wherever they stand.
func collected(ctx context.Context, s Settings, c api.Collected) ([]string, error) {
	names := slices.Clone(c.Named)
	for _, list := range c.In {
		more, err := resolve(ctx, s, list)
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
	}
	return names, nil
}
