package gateway

import (
	"context"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// A witness is a broker that has it on record how a round ended, as a lock of LOCK_BATCH_MQ that is
// made for the round. It is one of the source; where none of the source answers, one of the target,
// which then has all homes, or nothing could be moved.

// Choose implements rounds.Witness: it finds the first broker that answers. It is done before
// anything waits. Errors: ErrRefused where none does.
func (g roundHost) Choose(ctx context.Context, r *store.Round) error {
	ctx, cancel := context.WithTimeout(ctx, rounds.AskTime)
	defer cancel()
	all := g.gateway.sides.Leasing()
	answers := make([]chan error, len(all))
	for i, at := range all {
		answers[i] = make(chan error, 1)
		go func() {
			_, err := g.gateway.sides.LockOwn(ctx, at, leaseKind, g.gateway.config.Name,
				g.gateway.config.Name) // its own lease, which it renews so
			answers[i] <- err
		}()
	}
	var cause error
	for i, at := range all {
		if err := <-answers[i]; err != nil {
			cause = err
			continue
		}
		if at.Side == routing.Source {
			r.Witness = at.Broker
		} else {
			r.WitnessOnTarget = at.Broker
		}
		return nil
	}
	return control.Refused("no broker of either side answers, to have it on record how the move ends: %v", cause)
}

// Record implements rounds.Witness.
func (g roundHost) Record(ctx context.Context, r store.Round, verdict string) (won bool, err error) {
	at := routing.Dest{Side: routing.Source, Broker: r.Witness}
	if r.WitnessOnTarget != "" {
		at = routing.Dest{Side: routing.Target, Broker: r.WitnessOnTarget}
	}
	ctx, cancel := context.WithTimeout(ctx, rounds.AskTime)
	defer cancel()
	return g.gateway.sides.LockOwn(ctx, at, "rocketshift-round", r.ID, verdict)
}
