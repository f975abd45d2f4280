package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// look again after this long for copies that aren't there yet.
const proofPause = time.Millisecond

// lanes are the means to prove what is on the other side of a move.
type lanes struct {
	*migration
	clusters [2]*rocketmq.Cluster
}

func (g *Gateway) lanes() (lanes, error) {
	m := g.migration.Load()
	if m == nil {
		return lanes{}, errors.New("the gateway hasn't been told a migration yet: start one whose traffic goes through gateways")
	}
	return lanes{m, [2]*rocketmq.Cluster{g.source, m.target}}, nil
}

// at is where a queue's replica on a side is.
func (q *queue) on(s side) (replicator.Queue, error) {
	lane := q.lane.Load()
	switch {
	case s == source:
		return replicator.Queue{Broker: q.broker, ID: q.id}, nil
	case lane == nil:
		return replicator.Queue{}, fmt.Errorf("queue %s has no lane to the target", q)
	}
	return lane.Target, nil
}

func (q *queue) String() string {
	return fmt.Sprintf("%s of topic %s", replicator.Queue{Broker: q.broker, ID: q.id}, q.topic)
}

// across translates a native position to the other side.
func (l lanes) across(ctx context.Context, q *queue, from side, position int64) (replicator.Translation, error) {
	lane := q.lane.Load()
	if lane == nil {
		return replicator.Translation{}, fmt.Errorf("queue %s has no lane to the target", q)
	}
	if from == target {
		return l.positions.Reversed().Across(ctx, lane.Back(), position)
	}
	return l.positions.Across(ctx, *lane, position)
}

// exact translates a native position when it is a cut, and waits until it is one.
func (l lanes) exact(ctx context.Context, q *queue, from side, position int64) (int64, error) {
	var why error
	for {
		t, err := l.across(ctx, q, from, position)
		switch {
		case err == nil && t.Exact:
			return t.Target, nil
		case err == nil:
			why = fmt.Errorf("queue %s: both replicas hold the same in another order around position %d of the %s", q, position, from)
		case why == nil || ctx.Err() == nil: // that the budget ended it in a call says nothing
			why = err
		}
		if wait(ctx, proofPause) != nil {
			return 0, fmt.Errorf("in %w: %w", context.Cause(ctx), why)
		}
	}
}

// end is where a queue ends on a side: no send to it is on its way, and brokers show a message some milliseconds after they acknowledged it.
func (l lanes) end(ctx context.Context, q *queue, on side) (int64, error) {
	at, err := q.on(on)
	if err != nil {
		return 0, err
	}
	for {
		broker, err := l.clusters[on].Broker(ctx, at.Broker)
		if err != nil {
			return 0, err
		}
		end, err := l.clusters[on].Client().MaxOffset(ctx, broker.Addr, q.topic, at.ID)
		if err != nil {
			return 0, err
		}
		if end >= q.acked[on].Load() {
			return end, nil
		}
		if wait(ctx, proofPause) != nil {
			return 0, fmt.Errorf("queue %s: the %s shows %d of %d acknowledged messages: %w", q, on, end, q.acked[on].Load(), context.Cause(ctx))
		}
	}
}

// copied waits until the other side holds all that a side holds, and returns where both end. Nobody sends to the queue meanwhile.
func (l lanes) copied(ctx context.Context, q *queue, from side) (here, there int64, err error) {
	for {
		if here, err = l.end(ctx, q, from); err != nil {
			return 0, 0, err
		}
		if there, err = l.exact(ctx, q, from, here); err != nil {
			return 0, 0, err
		}
		again, err := l.end(ctx, q, from)
		if err != nil || again == here {
			return here, there, err
		}
	}
}

// position is a group's committed position on a side, as a native one.
func (l lanes) position(ctx context.Context, q *queue, group string, on side) (int64, bool, error) {
	at, err := q.on(on)
	if err != nil {
		return 0, false, err
	}
	broker, err := l.clusters[on].Broker(ctx, at.Broker)
	if err != nil {
		return 0, false, err
	}
	return l.clusters[on].Client().QueryOffset(ctx, broker.Addr, group, q.topic, at.ID)
}

// commit writes a group's position on a side, and reads it back: brokers acknowledge some that they don't take.
func (l lanes) commit(ctx context.Context, q *queue, group string, on side, position int64) error {
	at, err := q.on(on)
	if err != nil {
		return err
	}
	broker, err := l.clusters[on].Broker(ctx, at.Broker)
	if err != nil {
		return err
	}
	client := l.clusters[on].Client()
	for {
		if err := client.UpdateOffset(ctx, broker.Addr, group, q.topic, at.ID, position); err != nil {
			return err
		}
		got, known, err := client.QueryOffset(ctx, broker.Addr, group, q.topic, at.ID)
		if err == nil && known && got == position {
			return nil
		}
		if wait(ctx, 10*proofPause) != nil {
			return fmt.Errorf("group %s, queue %s: position %d on the %s was acknowledged and reads %d: %w", group, q, position, on, got, context.Cause(ctx))
		}
	}
}

// wait pauses, and ends early when the context does.
func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
