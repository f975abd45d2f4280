package rounds

import (
	"context"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// Host is the gateway that takes part in rounds.
type Host interface {
	Name() string
	// Epoch counts the moves that were done.
	Epoch() int64
	// Targets are the target's brokers in the order of their tags.
	Targets() []string
	// Peers are the other gateways of the migration.
	Peers() []Peer

	// MayTakePart judges a round that is to begin, as far as that takes time.
	MayTakePart(ctx context.Context, r store.Round, to routing.Side) error
	// MayBegin judges it when no other one is under way. No other one begins meanwhile.
	MayBegin(r store.Round, to routing.Side) error
	// Hold makes wait what the round is about. What waits is to be released with an error, too.
	Hold(ctx context.Context, r store.Round, to routing.Side) (Held, store.Prepared, error)
	// HoldAgain makes sends wait to the queues of an outcome: a restart has interrupted its round.
	HoldAgain(o *store.Outcome) Held
	// Learn takes over the lanes of an outcome, and refuses one that can't be gone by.
	Learn(o *store.Outcome) error
	// Save brings what was decided, and the open round, to disk.
	Save() error
	// GoBy makes an outcome so, in memory and on disk. If it is shared, others go by it. With an
	// error everything is as it was.
	GoBy(r store.Round, o *store.Outcome, shared bool) error
	// WentBy is told of a round that was gone by, when nothing waits any more.
	WentBy(r store.Round, to routing.Side)
	// Waited is told how long things have waited for a round.
	Waited(kind string, took time.Duration)
}

// Held is what waits for a round.
type Held interface {
	// Doubt refuses what must not go anywhere before it is known how the round ended, and lets all
	// else go where it went before.
	Doubt()
	// Release lets go what has waited.
	Release()
}

// Peer is another gateway of the migration.
type Peer interface {
	store.Participant
	// Replica is what it has decided.
	Replica(ctx context.Context) (store.Replica, error)
}

// Witness is a broker that has it on record how a round ended.
type Witness interface {
	// Choose names it in a round, before anything waits. Errors: control.ErrRefused where no broker
	// answers.
	Choose(ctx context.Context, r *store.Round) error
	// Record puts a verdict on record; false if another one was there first.
	Record(ctx context.Context, r store.Round, verdict string) (won bool, err error)
}

// Verdicts of the witness.
const (
	Decided = "decided"
	GivenUp = "givenUp"
)

// AskTime bounds how long another gateway may take to say how it stands.
const AskTime = 500 * time.Millisecond
