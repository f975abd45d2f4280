package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/inventory"
	"rocketshift/internal/documents/lists"
)

// Every activity reads lists by the functions of this file. A document that the store has lost is
// measured anew. Documents are found by the digest of their content, so the lists of the inventory
// and of its waves are there again under the same names, as long as the source has the same topics
// and groups. What can't be measured is told, and gone on without, where nothing is done that
// nobody has approved: answers of persons, rows of a report. A step whose list is neither there nor
// can be measured again waits: with another list it would move what nobody has approved. The way
// back needs no document.

// items are those of a list, wherever it stands.
func items[T any](ctx context.Context, s Settings, r Request, l api.List[T]) ([]T, error) {
	all, err := lists.Resolve(ctx, s.Store, l)
	if !lost(err) {
		return all, err
	}
	if _, errAnew := s.measured(ctx, r); errAnew != nil {
		return nil, fault.Again(fault.KindDocumentMissing, fault.GrantAgain, err,
			"%v; it can't be measured anew: %v", err, errAnew)
	}
	all, err = lists.Resolve(ctx, s.Store, l)
	if lost(err) {
		return nil, fault.Again(fault.KindDocumentMissing, fault.GrantAgain, err, "%v; the source was measured "+
			"anew and has other topics or groups than then, so that this list can't be made again: bring the "+
			"document back, or go back, which needs no document", err)
	}
	return all, err
}

// names are the names of a list, wherever it stands.
func (s Settings) names(ctx context.Context, r Request, l api.Names) ([]string, error) {
	return items(ctx, s, r, l)
}

// collected are names, wherever they stand.
func (s Settings) collected(ctx context.Context, r Request, c api.Collected) ([]string, error) {
	names := append([]string{}, c.Named...)
	for _, list := range c.In {
		more, err := s.names(ctx, r, list)
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
	}
	return names, nil
}

// answers are what persons decided, in its order. Nobody can measure decisions: without those that
// are lost, lanes ask again, and what was given up counts as missing. Gone says so, if any are.
func (s Settings) answers(
	ctx context.Context, earlier api.List[api.LaneAnswer], since []api.LaneAnswer,
) (all []api.LaneAnswer, gone string, err error) {
	all, err = lists.AnswersOf(ctx, s.Store, earlier, since)
	if !lost(err) {
		return all, "", err
	}
	gone = fmt.Sprintf("%d answers to faults of lanes are lost with document %s: lanes ask again, and what was "+
		"given up counts as missing", earlier.Len(), earlier.Document())
	return since, gone, nil
}

// assessment is the whole of an inventory, measured anew if its document is lost.
func (s Settings) assessment(ctx context.Context, r Request, i api.Inventory) (api.Assessment, error) {
	found, err := lists.Assessment(ctx, s.Store, i)
	if !lost(err) {
		return found, err
	}
	return s.measured(ctx, r)
}

// measured assesses, and writes the documents of what is found, and of its waves.
func (s Settings) measured(ctx context.Context, r Request) (api.Assessment, error) {
	r.Plan = r.Plan.WithDefaults()
	tell := func(text string) {
		if activity.IsActivity(ctx) {
			activity.GetLogger(ctx).Debug("measuring anew what the store has lost", "at", text)
		}
	}
	found, err := inventory.Assess(ctx, s.clusters(), r.Plan, tell)
	if err != nil {
		return found, err
	}
	r.Bounded = true
	if _, err = lists.Inventory(ctx, s.lists(r), found); err != nil {
		return found, err
	}
	_, err = boundedWaves(ctx, s.lists(r), found, wavesOf(r.Plan, found))
	return found, err
}

// lost reports whether a document isn't in the store.
func lost(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.KindDocumentMissing
}
