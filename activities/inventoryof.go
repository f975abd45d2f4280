package activities

import "context"

// inventoryOf is an assessment as it may stand in a history.
func (s Settings) inventoryOf(ctx context.Context, r Request, a Assessment) (Inventory, error) {
	if !r.Bounded || size(a) <= inlineBytes {
		return Whole(a), nil
	}
	ref, err := s.writeDocument(ctx, r.Plan.Name, "inventory", a)
	if err != nil {
		return Inventory{}, err
	}
	i := Inventory{Summary: summarize(a)}
	i.Summary.Whole = &ref
	i.long.Document, i.long.SourceBrokers = &ref, a.SourceBrokers
	for _, list := range []struct {
		kind  string
		into  *Names
		names []string
	}{
		{"topics", &i.long.Topics, a.topics(nil)},
		{"ordered topics", &i.long.Ordered, a.ordered()},
		{"free topics", &i.long.Free, a.free()},
		{"groups", &i.long.Groups, a.groups()},
		{"reading groups", &i.long.Readers, a.readers()},
	} {
		if *list.into, err = shared(ctx, s, r, list.kind, list.names, namesRoom); err != nil {
			return Inventory{}, err
		}
	}
	i.Summary.Findings, err = shared(ctx, s, r, "findings", a.Findings, rowsRoom)
	return i, err
}

// assessment is the whole of an inventory.
func (s Settings) assessment(ctx context.Context, i Inventory) (a Assessment, err error) {
	if i.Whole != nil {
		return *i.Whole, nil
	}
	err = s.readDocument(ctx, *i.long.Document, &a)
	return a, err
}
