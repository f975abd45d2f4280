package store

import (
	"context"

	"rocketshift/internal/gateway/control"
	"rocketshift/replicator/lane"
)

// Round is one round of a move.
type Round struct {
	ID     string           `json:"id"`
	Kind   string           `json:"kind"`
	To     string           `json:"to"`
	Epoch  int64            `json:"epoch"`  // that it begins from
	Leader string           `json:"leader"` // the gateway that leads
	Budget control.Duration `json:"budget"`
	Reason string           `json:"reason,omitempty"`
	// whose homes move, or of which the group's views are known to who leads
	Queues []control.TopicQueue `json:"queues,omitempty"`
	Group  string               `json:"group,omitempty"`

	Accept []string `json:"accept,omitempty"` // what the caller takes as inexact

	// WithoutTarget is as in Move: each gateway judges by itself whether the target answers.
	WithoutTarget bool `json:"withoutTarget,omitempty"`

	Targets []string `json:"targets,omitempty"` // target brokers in the order of their tags
	Witness string   `json:"witness,omitempty"` // the source broker that knows whether it is decided
	// WitnessOnTarget is the target broker that knows it, where none of the source answers.
	WitnessOnTarget string `json:"witnessOnTarget,omitempty"`

	// what is to be remembered together with its outcome, as it is the last round of a move
	Ends *control.Moved `json:"-"`
}

// Prepared is what a gateway knows of what waits.
type Prepared struct {
	Queues []PreparedQueue `json:"queues,omitempty"`
	Views  []PreparedView  `json:"views,omitempty"`
	// Inexact is what isn't as it should be, as the caller has accepted it.
	Inexact []string `json:"inexact,omitempty"`
}

// PreparedQueue is a queue to which sends wait.
type PreparedQueue struct {
	control.TopicQueue
	Acked [2]int64 `json:"acked"` // behind the highest acknowledged offsets of source and target
}

// PreparedView is a queue that the group's pulls wait for. Ages say which gateway knows best.
type PreparedView struct {
	control.TopicQueue
	Next    int64            `json:"next"` // the group's next offset, as far as answers to pulls tell; -1 if unknown
	NextAge control.Duration `json:"nextAge"`
	Kept    int64            `json:"kept"` // the offset that the group committed last; -1 if unknown
	KeptAge control.Duration `json:"keptAge"`
	// the offset that a client asked last to commit, without an answer so far; 0 or -1: none
	Claimed int64 `json:"claimed,omitempty"`
}

// Outcome is how everything that the round moves is afterwards.
type Outcome struct {
	Epoch     int64  `json:"epoch"` // afterwards
	Homes     []Home `json:"homes,omitempty"`
	Views     []View `json:"views,omitempty"`
	Authority string `json:"authority,omitempty"`
	// Lanes are those of the queues that it names: a gateway may not have seen a topic yet that
	// clients of another one use.
	Lanes []lane.Lane `json:"lanes,omitempty"`
}

// Size counts what an outcome moves.
func (o *Outcome) Size() int {
	n := len(o.Homes) + len(o.Views)
	if o.Authority != "" {
		n++
	}
	return n
}

// Ended names a round that is to end, with its outcome if that is what is told.
type Ended struct {
	ID      string   `json:"id"`
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Replica is what a gateway has decided, for others that have missed something.
type Replica struct {
	Gateway string `json:"gateway"`
	Round   string `json:"round,omitempty"` // that it takes part in
	// Owed is what the target owes, by what this gateway knows.
	Owed []control.OwedQueue `json:"owed,omitempty"`
	State
}

// Participant takes part in rounds: this gateway, or another one.
type Participant interface {
	Prepare(ctx context.Context, r Round) (Prepared, error)
	Ready(ctx context.Context, id string, o Outcome) error
	Commit(ctx context.Context, id string) error
	Abort(ctx context.Context, id string) error
}
