package activities

import (
	"context"

	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

func (s Settings) wanted(ctx context.Context, r MetadataRequest) (w metadata.Wanted, err error) {
	w = metadata.Wanted{Types: r.Types, Ordered: map[string]bool{}}
	if w.Topics, err = lists.Resolve(ctx, s.Store, r.Topics); err != nil {
		return w, err
	}
	if w.Groups, err = lists.Resolve(ctx, s.Store, r.Groups); err != nil {
		return w, err
	}
	for _, name := range r.Ordered {
		w.Ordered[name] = true
	}
	if r.Inventory == nil {
		return w, nil
	}
	found, err := lists.Assessment(ctx, s.Store, *r.Inventory)
	w.Types = map[string]plan.MessageType{}
	for _, t := range found.Topics {
		w.Types[t.Name], w.Ordered[t.Name] = t.Type, t.Ordered
	}
	return w, err
}
