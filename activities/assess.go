package activities

import (
	"context"
	"encoding/json"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

// Assess reads what there is before anything is bought or written.
type Assess struct{ settings Settings }

// NewAssess returns the activities of Assess.
func NewAssess(s Settings) *Assess { return &Assess{s.withDefaults()} }

// Assess returns the inventory of the source and what speaks against a migration. Refusals are
// findings, not errors; a source that is down is an error that is tried again until it returns.
func (a *Assess) Assess(ctx context.Context, r Request) (_ api.Inventory, err error) {
	defer explained(&err)
	found, err := inventory.Assess(ctx, a.settings.clusters(), r.Plan.WithDefaults(),
		func(text string) { activity.RecordHeartbeat(ctx, text) })
	if err != nil {
		return api.Inventory{}, err
	}
	return lists.Inventory(ctx, a.settings.lists(r), found)
}

// PlanRequest is a plan as its writer gave it.
type PlanRequest struct {
	Plan json.RawMessage `json:"plan"`
}

// CheckedPlan is what a migration works by until its end.
type CheckedPlan struct {
	Plan    plan.Plan `json:"plan"`              // with its defaults written out
	Hash    string    `json:"hash"`              // of what was given
	Refused string    `json:"refused,omitempty"` // what is wrong with it, bounded; the plan is empty then
}

// Plans judges plans.
type Plans struct{}

// NewPlans returns the activities of plans.
func NewPlans() *Plans { return &Plans{} }

// CheckPlan judges a plan by the rules of this release, and fills in its defaults. Its answer is on
// record: a later release with stricter rules or other defaults doesn't ask again.
func (*Plans) CheckPlan(_ context.Context, r PlanRequest) (_ CheckedPlan, err error) {
	defer explained(&err)
	p, err := plan.Parse(r.Plan)
	if err != nil {
		return CheckedPlan{Refused: err.Error()}, nil
	}
	return CheckedPlan{Plan: p.Normal(), Hash: p.Hash()}, nil
}

// Wave is what moves together in one step: first the groups, then the producers of the topics. The
// ordered topics and the free ones are all of its topics.
type Wave struct {
	Step    int       `json:"step"`
	Topics  api.Names `json:"topics,omitzero"`
	Ordered api.Names `json:"ordered,omitzero"`
	Free    api.Names `json:"free,omitzero"`
	Groups  api.Names `json:"groups,omitzero"`
}

// WavesRequest asks for the waves of a plan.
type WavesRequest struct {
	Request
	Inventory api.Inventory `json:"inventory"`
}

// PlanWaves deals what Assess found out to the plan's steps. It is an activity, as workflow code
// may not take as long as that takes with thousands of topics.
func (a *Assess) PlanWaves(ctx context.Context, r WavesRequest) (_ []Wave, err error) {
	defer explained(&err)
	found, err := a.settings.assessment(ctx, r.Request, r.Inventory)
	if err != nil {
		return nil, err
	}
	return boundedWaves(ctx, a.settings.lists(r.Request), found, wavesOf(r.Plan, found))
}

// wavesOf deals what was found out to the plan's steps.
func wavesOf(p plan.Plan, found api.Assessment) []plan.Wave {
	if p.Traffic.Mode == plan.ModeGateway {
		return p.GatewayWaves(found.ReadersOf())
	}
	return p.Waves(found.ReadersOf())
}

// WavesOf are the waves of an inventory that stands in the history itself.
func WavesOf(found api.Assessment, waves []plan.Wave) []Wave {
	all := make([]Wave, len(waves))
	for i, w := range waves {
		ordered, free := split(found, w.Topics)
		all[i] = Wave{w.Step, api.Some(w.Topics...), api.Some(ordered...), api.Some(free...), api.Some(w.Groups...)}
	}
	return all
}

// split sorts topics by whether their order must survive the move.
func split(a api.Assessment, topics []string) (ordered, free []string) {
	is := map[string]bool{}
	for _, name := range a.OrderedTopics() {
		is[name] = true
	}
	for _, name := range topics {
		if is[name] {
			ordered = append(ordered, name)
		} else {
			free = append(free, name)
		}
	}
	return ordered, free
}

// boundedWaves are the waves as they may stand in a history: where they are long, each kind of list
// is one document, and each wave has a range of it.
func boundedWaves(
	ctx context.Context, in lists.In, found api.Assessment, waves []plan.Wave,
) ([]Wave, error) {
	all := WavesOf(found, waves)
	if !in.Bounded || lists.Size(all) <= lists.InlineBytes {
		return all, nil
	}
	for _, list := range []struct {
		kind string
		of   func(*Wave) *api.Names
	}{
		{"topics by wave", func(w *Wave) *api.Names { return &w.Topics }},
		{"ordered topics by wave", func(w *Wave) *api.Names { return &w.Ordered }},
		{"free topics by wave", func(w *Wave) *api.Names { return &w.Free }},
		{"groups by wave", func(w *Wave) *api.Names { return &w.Groups }},
	} {
		var names []string
		for i := range all {
			items, _ := list.of(&all[i]).Inline()
			names = append(names, items...)
		}
		whole, err := lists.Stored(ctx, in, list.kind, names, lists.NamesRoom)
		if err != nil {
			return nil, err
		}
		from := 0
		for i := range all {
			of := list.of(&all[i])
			items, _ := of.Inline()
			*of = api.InDocument(*whole.Document(), from, from+len(items), lists.Beginning(items, lists.NamesRoom))
			from += len(items)
		}
	}
	return all, nil
}

// NamesRequest asks for the names of a list.
type NamesRequest struct {
	Request
	Names api.Names `json:"names"`
}

// ReadNames returns the names of a list in a document, so that what is done with them needs no
// store: groups that are refused on both sides are opened again also where that doesn't answer.
// They are few: the caller cuts the list.
func (a *Assess) ReadNames(ctx context.Context, r NamesRequest) (_ []string, err error) {
	defer explained(&err)
	return a.settings.names(ctx, r.Request, r.Names)
}

// keptRoom is for names that nobody reads in a history.
var keptRoom = lists.Room{}

// KeepNames writes names into a document, so that they take little room in a history.
func (a *Assess) KeepNames(ctx context.Context, r NamesRequest) (_ api.Names, err error) {
	defer explained(&err)
	names, err := a.settings.names(ctx, r.Request, r.Names)
	if err != nil {
		return api.Names{}, err
	}
	return lists.Stored(ctx, a.settings.lists(r.Request), "names", names, keptRoom)
}
