package apply

import (
	"context"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/inventory"
	applied "rocketshift/internal/clusters/metadata"
	"rocketshift/internal/metadata"
	"rocketshift/plan"
)

// chunk is how many topics or groups are compared, changed and read back at a time.
const chunk = 1000

// Run is one application of metadata.
type Run struct {
	plan   plan.Plan
	opener connect.Opener
	from   *metadata.Cluster // nil: a cluster
	tables applied.Tables
	wanted applied.Wanted
	both   clusters.Both
}

// New reads the file, if one is given, and has asked no cluster yet.
func New(f Flags, lookupEnv func(string) (string, bool)) (*Run, error) {
	p, err := f.plan()
	if err != nil {
		return nil, err
	}
	r := &Run{plan: p}
	if r.from, err = f.model(); err != nil {
		return nil, err
	}
	if r.opener, err = f.opener(lookupEnv); err != nil {
		return nil, err
	}
	return r, nil
}

// Close closes the connections.
func (r *Run) Close() { r.opener.Pool.Close() }

// Diff is what applying would do.
type Diff struct {
	CreateTopics []string      `json:"createTopics,omitempty"`
	CreateGroups []string      `json:"createGroups,omitempty"`
	ChangeTopics []string      `json:"changeTopics,omitempty"`
	ChangeGroups []string      `json:"changeGroups,omitempty"`
	Keys         []string      `json:"keys,omitempty"` // of name servers
	Same         int           `json:"same"`
	Changes      []api.Finding `json:"changes,omitempty"`
	Kept         []api.Finding `json:"kept,omitempty"`
	Warnings     []api.Finding `json:"warnings,omitempty"`
	Conflicts    []api.Finding `json:"conflicts,omitempty"`
	// NotCarried says what of a file no broker takes.
	NotCarried metadata.Gaps `json:"notCarried,omitempty"`
}

// Objects is how many topics, groups and keys would be made or changed.
func (d Diff) Objects() int {
	return len(d.CreateTopics) + len(d.CreateGroups) + len(d.ChangeTopics) + len(d.ChangeGroups) + len(d.Keys)
}

// Diff compares all of it, and changes nothing.
func (r *Run) Diff(ctx context.Context, tell func(string)) (d Diff, err error) {
	if err := r.open(ctx, tell); err != nil {
		return d, err
	}
	if r.from != nil {
		d.NotCarried = notCarried(*r.from)
	}
	tell("comparing")
	o, err := r.compare(ctx, r.wanted)
	if err != nil {
		return d, err
	}
	changed := func(name string) bool { _, is := o.ChangedTopics[name]; return is }
	d.CreateTopics = slices.DeleteFunc(clusters.SortedKeys(o.MissingTopics), changed)
	changed = func(name string) bool { _, is := o.ChangedGroups[name]; return is }
	d.CreateGroups = slices.DeleteFunc(clusters.SortedKeys(o.MissingGroups), changed)
	d.ChangeTopics, d.ChangeGroups = clusters.SortedKeys(o.ChangedTopics), clusters.SortedKeys(o.ChangedGroups)
	for _, kv := range o.KV {
		d.Keys = append(d.Keys, kv.String())
	}
	d.Same, d.Changes, d.Kept, d.Warnings, d.Conflicts = o.Same, o.Changes, o.Kept, o.Warnings, o.Conflicts
	return d, nil
}

// Apply does what Diff found, in chunks that are read back each. It goes on where an earlier one
// was cut off.
func (r *Run) Apply(ctx context.Context, tell func(api.ApplyProgress)) error {
	begun, done, total := time.Now(), 0, len(r.wanted.Topics)+len(r.wanted.Groups)
	for _, part := range r.parts() {
		o, err := r.compare(ctx, part)
		if err != nil {
			return err
		}
		if err := o.Apply(ctx, func(api.ApplyProgress) {}); err != nil {
			return err
		}
		done += len(part.Topics) + len(part.Groups)
		p := api.ApplyProgress{Done: done, Total: total}
		if done > 0 && done < total {
			p.Left = (time.Since(begun) / time.Duration(done) * time.Duration(total-done)).Round(time.Second)
		}
		tell(p)
	}
	return nil
}

// parts are the chunks: groups first, keys with the last.
func (r *Run) parts() (all []applied.Wanted) {
	for part := range slices.Chunk(r.wanted.Groups, chunk) {
		next := r.wanted
		next.Topics, next.Groups, next.KV = nil, part, false
		all = append(all, next)
	}
	for part := range slices.Chunk(r.wanted.Topics, chunk) {
		next := r.wanted
		next.Topics, next.Groups, next.KV = part, nil, false
		all = append(all, next)
	}
	return append(all, applied.Wanted{KV: true, Open: true})
}

func (r *Run) compare(ctx context.Context, w applied.Wanted) (*applied.Chunk, error) {
	if r.from != nil {
		return applied.CompareTables(ctx, r.both, r.tables, w)
	}
	return applied.Compare(ctx, r.both, w)
}

// open opens the clusters, and finds what is wanted.
func (r *Run) open(ctx context.Context, tell func(string)) (err error) {
	if r.from == nil {
		return r.openSource(ctx, tell)
	}
	target, err := r.opener.Target(ctx, r.plan)
	if err != nil {
		return err
	}
	r.both = clusters.Both{Plan: r.plan, Target: target}
	if r.tables, err = tablesOf(*r.from); err != nil {
		return err
	}
	r.wanted = applied.Wanted{
		Topics: r.tables.Topics.Selected(r.plan, r.tables.Brokers), Groups: r.tables.Groups.Selected(r.plan),
		KV: true, Open: true,
	}
	if len(r.plan.Metadata.KV) == 0 { // a file's keys are all meant
		for _, namespace := range clusters.SortedKeys(r.tables.KV) {
			if namespace != metadata.OrderNamespace {
				r.both.Plan.Metadata.KV = append(r.both.Plan.Metadata.KV, namespace)
			}
		}
	}
	r.wanted.Types, r.wanted.Ordered = typesOf(*r.from)
	return nil
}

// openSource infers types and order by the messages that the source holds, as Assess does.
func (r *Run) openSource(ctx context.Context, tell func(string)) (err error) {
	if r.both, err = r.opener.Both(ctx, r.plan); err != nil {
		return err
	}
	if err := r.both.Whole(ctx); err != nil {
		return err
	}
	found, err := inventory.Assess(ctx, r.opener, r.plan, tell)
	if err != nil {
		return err
	}
	r.wanted = applied.Wanted{
		Topics: found.TopicNames(nil), Groups: found.GroupNames(), KV: true, Open: true,
	}
	r.wanted.From(found)
	return nil
}
