// Package activities does what a migration's workflows decide: each method reads the state of the
// brokers, writes what is missing, and reads it back, so that a repeated call has no second effect.
// What must be waited for is asked again and again by Temporal: such an activity answers NotReady
// with the counts and the worst object, and that text is what people see. The long ones (Replicate,
// Sync, Verify) beat with their progress, checkpoint when they are cancelled, and take the brokers,
// not the heartbeat, as the record of how far they are.
package activities

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/documents"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/secrets"
	"rocketshift/internal/shards"
	"rocketshift/plan"
)

// ErrUnwanted says that an activity was cancelled, or given up.
var ErrUnwanted = errors.New("the activity was cancelled, or given up")

// Settings is what the worker gives the activities.
type Settings struct {
	// Root is the project's or the worker's data root; what runs lies in .run below it.
	Root string
	// Reports is the folder of the reports, by default <Root>/.run/reports.
	Reports string
	// Store keeps what is too big for histories; all workers of a task queue share it. By default
	// it is <Root>/.run/store.
	Store *documents.Store
	// Clusters are the connections that the activities of one process share. Without them each
	// concern opens its own.
	Clusters *connect.Pool
	// Observed, if given, is told how far the lanes of this process are.
	Observed *shards.Observed
	// Shares, if given, spreads shards of lanes over several workers.
	Shares *shards.Shares
	// Secrets are those of the worker's environment, with the hosts that they may be used with. If
	// absent, these are gateways on this machine.
	Secrets *secrets.Store
	// Wanted, if given, asks Temporal at once whether the activity of the context is still wanted:
	// nil if so, an error that is ErrUnwanted if not, another if that isn't known.
	Wanted func(context.Context) error
	// Look is how often lanes look for new topics and queues; 30 s if absent.
	Look time.Duration
}

// lists are those of the request's migration.
func (s Settings) lists(r Request) lists.In {
	return lists.In{Store: s.Store, Migration: r.Plan.Name, Bounded: r.Bounded}
}

// clusters opens the clusters of plans.
func (s Settings) clusters() connect.Opener {
	return connect.Opener{Pool: s.Clusters, Secrets: s.Secrets, Root: s.Root}
}

func (s Settings) withDefaults() Settings {
	if s.Reports == "" {
		s.Reports = filepath.Join(s.Root, ".run", "reports")
	}
	if s.Store == nil {
		s.Store, _ = documents.New(StoreFolder(s.Root)) // a folder is always a store
	}
	if s.Look <= 0 {
		s.Look = defaultLook
	}
	if s.Clusters == nil {
		s.Clusters = connect.NewPool()
	}
	if s.Secrets == nil {
		s.Secrets, _ = secrets.New("", os.Getenv) // nothing is configured, so nothing is wrong with it
	}
	return s
}

// StoreFolder is where a worker's documents lie unless it is told otherwise.
func StoreFolder(root string) string { return filepath.Join(root, ".run", "store") }

// Request is what every activity gets: the plan tells both sides, what is selected and the limits.
// It never holds a secret.
type Request struct {
	Plan plan.Plan `json:"plan"`
	// Bounded asks for an answer that fits in a history however large the clusters are: what is
	// long stands in documents of the store. Runs of older releases read the whole answer.
	Bounded bool `json:"bounded,omitempty"`
}

// GroupsRequest names groups and, where it matters, the side to act on.
type GroupsRequest struct {
	Request
	Side   api.Side  `json:"side"`
	Groups api.Names `json:"groups"`
	// But are groups among them that are left alone: others closed them.
	But []string `json:"but,omitempty"`
	// All asks, instead of Groups, for all groups of the plan that gateways lead on another side.
	All bool `json:"all,omitempty"`
	// Ours opens a group on the source only on the brokers where its fence carries the migration's
	// mark. A fence without any mark, of an older release or where rocketshift may not write marks,
	// is opened everywhere.
	Ours bool `json:"ours,omitempty"`
	// WithoutTarget has gateways return groups, or the authority, to the source without a look at
	// the target. They refuse that while the target answers them.
	WithoutTarget bool `json:"withoutTarget,omitempty"`
	// Asked are those whose applications people were asked to point to the gateways. Moves by
	// gateways that others hold up by bypassing them end with BypassedType; without it they are
	// tried again.
	Asked *Bypassing `json:"asked,omitempty"`
}

// TopicsRequest names topics and, where it matters, the side to act on.
type TopicsRequest struct {
	Request
	Side   api.Side  `json:"side"`
	Topics api.Names `json:"topics"`
}

// AwaitMoveRequest waits until applications have left From. Released says that the pipeline
// reported it done.
type AwaitMoveRequest struct {
	Request
	From     api.Side  `json:"from"`
	Groups   api.Names `json:"groups,omitzero"`
	Topics   api.Names `json:"topics,omitzero"`
	Released bool      `json:"released,omitempty"`
	// Said are topics among them that the pipeline reported, where it didn't report all.
	Said []string `json:"said,omitempty"`
	// Away is for how long the target may not answer until the activity ends with AwayType; 0 waits
	// for it. Groups are fenced on the source meanwhile.
	Away time.Duration `json:"away,omitempty"`
	// Stay is for how long MoveOrdered looks until it leaves the topics whose producers still
	// write; 0 is until it has opened all. Those that nobody may write to, it always opens.
	Stay time.Duration `json:"stay,omitempty"`
	// Stood are the put counters that AwaitOrdered saw stand still.
	Stood stability.Set `json:"stood,omitempty"`
}

// OrderedMove is what MoveOrdered has left.
type OrderedMove struct {
	Waiting int `json:"waiting,omitempty"` // topics whose producers still write on the side they leave
}

// Quiet is what AwaitOrdered saw: put counters that stand still, and since when.
type Quiet struct {
	Stood stability.Set `json:"stood,omitempty"`
}

// What activities answer as it is measured. Workflows know it by these names.
type (
	// ReplicationState is how far all lanes of the plan are.
	ReplicationState = measure.Summary
	// Members counts a group's connected clients on both sides.
	Members = measure.Members
	// GroupPositions is what was translated and written for one group.
	GroupPositions = consumers.Positions
	// Stranded are groups that read on neither side.
	Stranded = consumers.Stranded
	// Owed is what lies on the target since queues returned to the source without it.
	Owed = fleet.Owed
)
