package activities

import (
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/stability"
	"rocketshift/plan"
)

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
