package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

// MetadataRequest applies one chunk of a diff.
type MetadataRequest struct {
	Request
	Topics api.Names `json:"topics,omitzero"`
	Groups api.Names `json:"groups,omitzero"`
	// Inventory is what Assess found. Releases before it was here sent parts of it: Types and
	// Ordered. A closed (read-only) ordered topic opens only after its drain.
	Inventory *api.Inventory              `json:"inventory,omitempty"`
	Types     map[string]plan.MessageType `json:"types,omitempty"`
	Ordered   []string                    `json:"ordered,omitempty"`
}

// MetadataResult says what one chunk changed. A repeated chunk creates nothing.
type MetadataResult struct {
	CreatedTopics int `json:"createdTopics"`
	CreatedGroups int `json:"createdGroups"`
}

// Metadata brings topics and groups to the target.
type Metadata struct{ settings Settings }

// NewMetadata returns the activities of ImportMetadata.
func NewMetadata(s Settings) *Metadata { return &Metadata{s.withDefaults()} }

// Diff compares what the target should have with what it has.
func (m *Metadata) Diff(ctx context.Context, r MetadataRequest) (_ api.MetadataDiff, err error) {
	defer explained(&err)
	o, w, err := m.compare(ctx, r)
	if err != nil {
		return api.MetadataDiff{}, err
	}
	if err := o.CompareSettings(ctx, w); err != nil {
		return api.MetadataDiff{}, err
	}
	diff := api.MetadataDiff{Same: o.Same}
	if diff.CreateTopics, err = lists.Bounded(ctx, m.settings.lists(r.Request), "topics to create",
		clusters.SortedKeys(o.MissingTopics), lists.NamesRoom); err != nil {
		return diff, err
	}
	if diff.CreateGroups, err = lists.Bounded(ctx, m.settings.lists(r.Request), "groups to create",
		clusters.SortedKeys(o.MissingGroups), lists.NamesRoom); err != nil {
		return diff, err
	}
	diff.Warnings, err = lists.Bounded(ctx, m.settings.lists(r.Request), "warnings", o.Warnings, lists.RowsRoom)
	if err != nil {
		return diff, err
	}
	diff.Conflicts, err = lists.Bounded(ctx, m.settings.lists(r.Request), "conflicts", o.Conflicts, lists.RowsRoom)
	return diff, err
}

// Apply creates what is missing of one chunk and reads it back.
func (m *Metadata) Apply(ctx context.Context, r MetadataRequest) (_ MetadataResult, err error) {
	defer explained(&err)
	o, _, err := m.compare(ctx, r)
	if err != nil {
		return MetadataResult{}, err
	}
	if len(o.Conflicts) > 0 {
		first := o.Conflicts[0]
		return MetadataResult{}, fault.Conflict("%d conflicts, first: %s %s: %s", len(o.Conflicts), first.Object,
			first.Cause, first.Next)
	}
	if err := o.Create(ctx, func(text string) { activity.RecordHeartbeat(ctx, text) }); err != nil {
		return MetadataResult{}, err
	}
	return MetadataResult{len(o.MissingTopics), len(o.MissingGroups)}, m.readBack(ctx, r)
}

func (m *Metadata) readBack(ctx context.Context, r MetadataRequest) error {
	o, _, err := m.compare(ctx, r)
	if err != nil {
		return err
	}
	for topic, brokers := range o.MissingTopics {
		return fault.NotTaken("topic %s: created, and isn't there on %v when read back", topic, brokers)
	}
	for group, brokers := range o.MissingGroups {
		return fault.NotTaken("group %s: created, and isn't there on %v when read back", group, brokers)
	}
	return nil
}

// compare reads both sides, and returns with it what the request wants.
func (m *Metadata) compare(ctx context.Context, r MetadataRequest) (*metadata.Chunk, metadata.Wanted, error) {
	both, err := m.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, metadata.Wanted{}, err
	}
	if err := both.Whole(ctx); err != nil {
		return nil, metadata.Wanted{}, err
	}
	w, err := m.settings.wanted(ctx, r)
	if err != nil {
		return nil, w, err
	}
	o, err := metadata.Compare(ctx, both, w)
	return o, w, err
}

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
