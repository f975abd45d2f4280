package activities

import (
	"context"

	"rocketshift/api"
)

// inventoryOf is an assessment as it may stand in a history.
func (s Settings) inventoryOf(ctx context.Context, r Request, a api.Assessment) (api.Inventory, error) {
	if !r.Bounded || size(a) <= inlineBytes {
		return api.Whole(a), nil
	}
	ref, err := s.writeDocument(ctx, r.Plan.Name, "inventory", a)
	if err != nil {
		return api.Inventory{}, err
	}
	i := api.Inventory{Summary: api.Summarize(a)}
	i.Summary.Whole = &ref
	i.Long.Document, i.Long.SourceBrokers = &ref, a.SourceBrokers
	for _, list := range []struct {
		kind  string
		into  *api.Names
		names []string
	}{
		{"topics", &i.Long.Topics, a.TopicNames(nil)},
		{"ordered topics", &i.Long.Ordered, a.OrderedTopics()},
		{"free topics", &i.Long.Free, a.FreeTopics()},
		{"groups", &i.Long.Groups, a.GroupNames()},
		{"reading groups", &i.Long.Readers, a.Readers()},
	} {
		if *list.into, err = shared(ctx, s, r, list.kind, list.names, namesRoom); err != nil {
			return api.Inventory{}, err
		}
	}
	i.Summary.Findings, err = shared(ctx, s, r, "findings", a.Findings, rowsRoom)
	return i, err
}

// assessment is the whole of an inventory.
func (s Settings) assessment(ctx context.Context, i api.Inventory) (a api.Assessment, err error) {
	if i.Whole != nil {
		return *i.Whole, nil
	}
	err = s.readDocument(ctx, *i.Long.Document, &a)
	return a, err
}
