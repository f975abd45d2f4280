package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/metadata/rights/transfer"
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
	// KV brings over the keys of the plan's namespaces, too.
	KV bool `json:"kv,omitempty"`
}

// MetadataResult says what one chunk changed. A repeated chunk changes nothing.
type MetadataResult struct {
	CreatedTopics int `json:"createdTopics"`
	CreatedGroups int `json:"createdGroups"`
	ChangedTopics int `json:"changedTopics,omitempty"`
	ChangedGroups int `json:"changedGroups,omitempty"`
	KV            int `json:"kv,omitempty"` // keys of name servers
}

// Metadata brings topics and groups to the target.
type Metadata struct{ settings Settings }

// NewMetadata returns the activities of ImportMetadata.
func NewMetadata(s Settings) *Metadata { return &Metadata{s.withDefaults()} }

// Diff compares what the target should have with what it has.
func (m *Metadata) Diff(ctx context.Context, r MetadataRequest) (_ api.MetadataDiff, err error) {
	defer explained(&err)
	w, err := m.settings.wanted(ctx, r)
	if err != nil {
		return api.MetadataDiff{}, err
	}
	w.KV = true
	both, err := m.whole(ctx, r)
	if err != nil {
		return api.MetadataDiff{}, err
	}
	o, err := metadata.Compare(ctx, both, w)
	if err != nil {
		return api.MetadataDiff{}, err
	}
	if err := o.CompareSettings(ctx, w); err != nil {
		return api.MetadataDiff{}, err
	}
	diff := api.MetadataDiff{Same: o.Same, KV: len(o.KV)}
	in := m.settings.lists(r.Request)
	for _, list := range []struct {
		kind  string
		into  *api.Names
		names []string
	}{
		{"topics to create", &diff.CreateTopics, missingOnly(o.MissingTopics, o.ChangedTopics)},
		{"groups to create", &diff.CreateGroups, missingOnly(o.MissingGroups, o.ChangedGroups)},
		{"topics to change", &diff.ChangeTopics, clusters.SortedKeys(o.ChangedTopics)},
		{"groups to change", &diff.ChangeGroups, clusters.SortedKeys(o.ChangedGroups)},
	} {
		if *list.into, err = lists.Bounded(ctx, in, list.kind, list.names, lists.NamesRoom); err != nil {
			return diff, err
		}
	}
	for _, list := range []struct {
		kind string
		into *api.List[api.Finding]
		rows []api.Finding
	}{
		{"warnings", &diff.Warnings, o.Warnings},
		{"conflicts", &diff.Conflicts, o.Conflicts},
		{"changes", &diff.Changes, o.Changes},
		{"kept", &diff.Kept, o.Kept},
	} {
		if *list.into, err = lists.Bounded(ctx, in, list.kind, list.rows, lists.RowsRoom); err != nil {
			return diff, err
		}
	}
	return diff, nil
}

// missingOnly are the names of what is to be made alone, and not changed elsewhere.
func missingOnly[T any](missing map[string][]string, changed map[string]T) []string {
	return slices.DeleteFunc(clusters.SortedKeys(missing), func(name string) bool {
		_, is := changed[name]
		return is
	})
}

// Apply makes and changes what differs of one chunk, and reads it back. Its heartbeat says how far
// it is.
func (m *Metadata) Apply(ctx context.Context, r MetadataRequest) (_ MetadataResult, err error) {
	defer explained(&err)
	w, err := m.settings.wanted(ctx, r)
	if err != nil {
		return MetadataResult{}, err
	}
	w.KV = r.KV
	both, err := m.whole(ctx, r)
	if err != nil {
		return MetadataResult{}, err
	}
	done, err := metadata.Apply(ctx, both, w, func(p api.ApplyProgress) { activity.RecordHeartbeat(ctx, p) })
	if err != nil {
		return MetadataResult{}, err
	}
	return MetadataResult{
		CreatedTopics: len(missingOnly(done.MissingTopics, done.ChangedTopics)),
		CreatedGroups: len(missingOnly(done.MissingGroups, done.ChangedGroups)),
		ChangedTopics: len(done.ChangedTopics), ChangedGroups: len(done.ChangedGroups), KV: len(done.KV),
	}, nil
}

// whole opens both sides, of which everything must be seen.
func (m *Metadata) whole(ctx context.Context, r MetadataRequest) (clusters.Both, error) {
	both, err := m.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return both, err
	}
	return both, both.Whole(ctx)
}

func (s Settings) wanted(ctx context.Context, r MetadataRequest) (w metadata.Wanted, err error) {
	w = metadata.Wanted{Types: r.Types, Ordered: map[string]bool{}}
	if w.Topics, err = s.names(ctx, r.Request, r.Topics); err != nil {
		return w, err
	}
	if w.Groups, err = s.names(ctx, r.Request, r.Groups); err != nil {
		return w, err
	}
	for _, name := range r.Ordered {
		w.Ordered[name] = true
	}
	if r.Inventory == nil {
		return w, nil
	}
	found, err := s.assessment(ctx, r.Request, *r.Inventory)
	w.From(found)
	return w, err
}

// ImportUsers takes users and rights along from ACL 1.0 of the source to ACL 2.0 of each broker of
// the target, reads them back, and asks both sides what each user may do. Secrets go from broker, or
// from a file of the worker, to broker and are in no result. A repeated call changes nothing.
func (m *Metadata) ImportUsers(ctx context.Context, r Request) (out api.UsersImport, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	if p.Users == nil {
		return out, nil
	}
	both, err := m.settings.clusters().Both(ctx, p)
	if err != nil {
		return out, err
	}
	q := transfer.Request{
		Source: transfer.Source{Cluster: both.Source.Cluster}, Target: both.Target.Cluster,
		Own: both.Target.Client().User(), Renames: clusters.Renames(p.Target),
		Conflicts: p.Users.Decision(),
	}
	if q.Source.Files, q.NewSecrets, err = m.settings.filesOf(*p.Users); err != nil {
		return out, err
	}
	if _, err := q.Source.Read(ctx); err != nil && !errors.Is(err, transfer.ErrUntold) {
		if errors.Is(err, transfer.ErrOpen) {
			return out, fault.Refused("%v: take users out of the plan, or name files of accounts by users.files", err)
		}
		if len(q.Source.Files) > 0 {
			return out, fault.Refused("users.files: %v", err)
		}
		return out, both.Source.Explain(ctx, err) // so that a fault is known to be the source's
	}
	stop := beating(ctx, func() any { return "taking users along" })
	defer stop()
	done, err := q.Run(ctx)
	switch {
	case err == nil:
	case errors.Is(err, transfer.ErrConflicts):
		return out, fault.Conflict("%v", err)
	case errors.Is(err, transfer.ErrUntold), errors.Is(err, transfer.ErrHidden):
		return out, fault.Refused("%v; or name them in the plan, by users.files or users.newSecrets; or take users out "+
			"of the plan", err)
	default:
		return out, both.Target.Explain(ctx, err)
	}
	out = api.UsersImport{
		Users: len(done.Users), Brokers: len(done.Brokers), Written: len(done.Changes), Differing: done.Differing(),
	}
	rows := newSecrets(len(done.Made), q.NewSecrets)
	for _, said := range done.Said() {
		rows = append(
			rows,
			api.Finding{Severity: api.SeverityWarning, Object: said.Object, Cause: said.Text, Next: said.Do},
		)
	}
	out.Findings, err = lists.Bounded(ctx, m.settings.lists(r), "users", rows, lists.RowsRoom)
	return out, err
}

// newSecrets says where secrets lie that were made.
func newSecrets(users int, file string) []api.Finding {
	if users == 0 {
		return nil
	}
	host, _ := os.Hostname() // a name less is told
	return []api.Finding{{
		Severity: api.SeverityWarning, Object: "secrets of users",
		Cause: fmt.Sprintf("the source hides those of %d users, so that they have new ones on the target: they are in %s "+
			"of the worker on %s", users, file, host),
		Next: "give each application its own before it moves, and delete the file then",
	}}
}

// UsersFolder is where a worker has files of ACL 1.0, and secrets that are made new.
func UsersFolder(root string) string { return filepath.Join(root, "users") }

// filesOf are the plan's files on this worker. Where another worker has them the activity is tried
// there again; one that lacked the file of secrets would make other ones.
func (s Settings) filesOf(u plan.Users) (files []string, secrets string, err error) {
	for _, name := range u.Files {
		files = append(files, filepath.Join(UsersFolder(s.Root), filepath.FromSlash(name)))
	}
	all := files
	if u.NewSecrets != "" {
		secrets = filepath.Join(UsersFolder(s.Root), filepath.FromSlash(u.NewSecrets))
		all = append(slices.Clone(files), secrets)
	}
	for _, path := range all {
		if _, err := os.Stat(path); err != nil {
			return nil, "", fault.Again(fault.KindNotReady, fault.GrantAgain, err, "users: a worker of role control has "+
				"no %s: put the files that the plan names there, and make that of new secrets, empty and with mode 0600 "+
				"(install -m 600 /dev/null %[1]s), on one worker or on a folder that all share", path)
		}
	}
	return files, secrets, nil
}
