package lists

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/documents"
)

// Inventory is an assessment as it may stand in a history.
func Inventory(ctx context.Context, in In, a api.Assessment) (api.Inventory, error) {
	if !in.Bounded || Size(a) <= InlineBytes {
		return api.Whole(a), nil
	}
	ref, err := in.writeDocument(ctx, "inventory", a)
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
		if *list.into, err = shared(ctx, in, list.kind, list.names, NamesRoom); err != nil {
			return api.Inventory{}, err
		}
	}
	i.Summary.Findings, err = shared(ctx, in, "findings", a.Findings, RowsRoom)
	return i, err
}

// Assessment is the whole of an inventory.
func Assessment(ctx context.Context, s *documents.Store, i api.Inventory) (a api.Assessment, err error) {
	if i.Whole != nil {
		return *i.Whole, nil
	}
	err = readDocument(ctx, s, *i.Long.Document, &a)
	return a, err
}
