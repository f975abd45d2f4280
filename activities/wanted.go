package activities

import (
	"context"

	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

// wanted is what one chunk is about, with what Assess found of it.
type wanted struct {
	topics, groups []string
	types          map[string]plan.MessageType
	ordered        map[string]bool
}

func (s Settings) wanted(ctx context.Context, r MetadataRequest) (w wanted, err error) {
	w = wanted{types: r.Types, ordered: map[string]bool{}}
	if w.topics, err = lists.Resolve(ctx, s.Store, r.Topics); err != nil {
		return w, err
	}
	if w.groups, err = lists.Resolve(ctx, s.Store, r.Groups); err != nil {
		return w, err
	}
	for _, name := range r.Ordered {
		w.ordered[name] = true
	}
	if r.Inventory == nil {
		return w, nil
	}
	found, err := lists.Assessment(ctx, s.Store, *r.Inventory)
	w.types = map[string]plan.MessageType{}
	for _, t := range found.Topics {
		w.types[t.Name], w.ordered[t.Name] = t.Type, t.Ordered
	}
	return w, err
}
