package gateway

import (
	"context"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// A witness is a broker that has it on record how a round ended, as a lock of LOCK_BATCH_MQ that is
// made for the round. It is one of the source; where none of the source answers, one of the target,
// which then has all homes, or nothing could be moved.

// ownLock is something of our own that a broker can lock: a queue that nobody has. A proxy sends a
// request for locks to the broker that its first queue names (ConsumerManagerActivity, 5.3.3).
func (bs *bothSides) ownLock(at routing.Dest, kind, name string) []rocketmq.MessageQueue {
	if at.Side == routing.Target && bs.behindProxy() {
		return []rocketmq.MessageQueue{{Topic: kind + "/" + name, Broker: at.Broker}}
	}
	return []rocketmq.MessageQueue{{Topic: kind, Broker: name}}
}

// lockOwn takes something of our own at a broker for a client id, if nobody else has it.
func (bs *bothSides) lockOwn(ctx context.Context, at routing.Dest, kind, name, as string) (got bool, err error) {
	l, err := bs.lanes()
	if err != nil {
		return false, err
	}
	broker, err := l.clusters[at.Side].Broker(ctx, at.Broker)
	if err != nil {
		return false, err
	}
	held, err := l.clusters[at.Side].Client().
		LockQueues(ctx, broker.Addr, l.migration.LaneGroup, as, bs.ownLock(at, kind, name))
	return len(held) == 1, err
}

// Choose implements rounds.Witness: it finds the first broker that answers. It is done before
// anything waits. Errors: ErrRefused where none does.
func (g roundHost) Choose(ctx context.Context, r *store.Round) error {
	ctx, cancel := context.WithTimeout(ctx, rounds.AskTime)
	defer cancel()
	all := g.gateway.sides.leasing()
	answers := make([]chan error, len(all))
	for i, at := range all {
		answers[i] = make(chan error, 1)
		go func() {
			_, err := g.gateway.sides.lockOwn(ctx, at, leaseKind, g.gateway.config.Name,
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
	return g.gateway.sides.lockOwn(ctx, at, "rocketshift-round", r.ID, verdict)
}
