package replicas

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/positions"
)

// ProofPause is how long to wait before looking again for copies that aren't there yet.
const ProofPause = time.Millisecond

// copyPause is how long to wait for a copy before everything else is looked at again, too.
const copyPause = 50 * time.Millisecond

// ProvedTogether is how many queues are looked at at the same time.
const ProvedTogether = 32

// AskedTogether is how many groups or brokers are looked at at the same time.
const AskedTogether = 8

// LookPause is between looks at what both sides have.
const LookPause = 10 * time.Second

// Lanes are the means to prove what is on the other side of a move.
type Lanes struct {
	Migration *Migration
	Clusters  [2]*rocketmq.Cluster
}

// Lanes are those of the migration. Errors: the gateway hasn't been told one yet.
func (bs *Sides) Lanes() (Lanes, error) {
	m := bs.Migration.Load()
	if m == nil {
		return Lanes{}, errors.New(
			"the gateway hasn't been told a migration yet: start one whose traffic goes through gateways",
		)
	}
	return Lanes{m, [2]*rocketmq.Cluster{bs.Source, m.TargetCluster}}, nil
}

// Crossing looks at both replicas of a queue, for native positions of a side to be translated to
// the other.
func (l Lanes) Crossing(
	ctx context.Context, q *routing.Queue, from routing.Side, glance bool,
) (positions.Crossing, error) {
	forward := q.Lane()
	if forward == nil {
		return positions.Crossing{}, fmt.Errorf("queue %s has no lane to the target", q)
	}
	lane := *forward
	if from == routing.Target {
		lane = lane.Back()
	}
	return l.leaving(from).Crossing(ctx, lane, glance)
}

// leaving translates from a side to the other.
func (l Lanes) leaving(from routing.Side) *positions.Positions {
	if from == routing.Target {
		return l.Migration.Positions.Reversed()
	}
	return l.Migration.Positions
}

// Across translates a native position to the other side.
func (l Lanes) Across(
	ctx context.Context, q *routing.Queue, from routing.Side, position int64,
) (positions.Translation, error) {
	c, err := l.Crossing(ctx, q, from, false)
	if err != nil {
		return positions.Translation{}, err
	}
	return c.Across(position)
}

// Exact translates a native position when it is a cut, and waits until it is one.
func (l Lanes) Exact(ctx context.Context, q *routing.Queue, from routing.Side, position int64) (int64, error) {
	_, there, err := l.exactly(ctx, q, from, func(positions.Crossing) (int64, error) { return position, nil })
	return there, err
}

// exactly translates a native position, which is found anew at each look, when it is a cut, and
// waits until it is one.
func (l Lanes) exactly(
	ctx context.Context,
	q *routing.Queue,
	from routing.Side,
	which func(positions.Crossing) (int64, error),
) (here, there int64, err error) {
	var why error
	var c positions.Crossing
	for more, glance := false, true; ; glance = false {
		if more {
			c, more, err = l.leaving(from).More(ctx, c, copyPause)
		}
		if !more {
			c, err = l.Crossing(ctx, q, from, glance)
		}
		looked := err == nil
		if err == nil {
			here, err = which(c)
		}
		var t positions.Translation
		if err == nil {
			t, err = c.Across(here)
		}
		switch {
		case err == nil && t.Exact:
			return here, t.Target, nil
		case err == nil:
			why = fmt.Errorf(
				"queue %s: both replicas hold the same in another order around position %d of the %s", q, here,
				from,
			)
		case why == nil || ctx.Err() == nil: // that the budget ended it in a call says nothing
			why = err
		}
		if more = looked && errors.Is(err, positions.ErrNotCopiedYet) && ctx.Err() == nil; more {
			continue
		}
		if sleep.For(ctx, ProofPause) != nil {
			return 0, 0, fmt.Errorf("in %w: %w", context.Cause(ctx), why)
		}
	}
}

// endIn is where a queue ends on the side that is looked at, once that shows all that was
// acknowledged: brokers do some milliseconds afterwards.
func endIn(q *routing.Queue, c positions.Crossing, on routing.Side) (int64, error) {
	if end, acked := c.End(), q.Acked(on); end < acked {
		return 0, fmt.Errorf("queue %s: the %s shows %d of %d acknowledged messages", q, on, end, acked)
	}
	return c.End(), nil
}

// End is where a queue ends on a side: no send to it is on its way, and brokers show a message some
// milliseconds after they acknowledged it.
func (l Lanes) End(ctx context.Context, q *routing.Queue, on routing.Side) (int64, error) {
	at, err := q.On(on)
	if err != nil {
		return 0, err
	}
	for {
		broker, err := l.Clusters[on].Broker(ctx, at.Broker)
		if err != nil {
			return 0, err
		}
		end, err := l.Clusters[on].Client().MaxOffset(ctx, broker.Addr, q.Topic, at.ID)
		if err != nil {
			return 0, err
		}
		if end >= q.Acked(on) {
			return end, nil
		}
		if sleep.For(ctx, ProofPause) != nil {
			return 0, fmt.Errorf("queue %s: the %s shows %d of %d acknowledged messages: %w", q, on, end,
				q.Acked(on), context.Cause(ctx))
		}
	}
}

// Ends are where queues end on a side. Many of one topic on one broker are asked for in one call.
func (l Lanes) Ends(ctx context.Context, queues []*routing.Queue, on routing.Side) (map[*routing.Queue]int64, error) {
	type topicOn struct{ topic, broker string }
	byTopic := map[topicOn]map[*routing.Queue]int{} // with their numbers there
	for _, q := range queues {
		at, err := q.On(on)
		if err != nil {
			return nil, err
		}
		of := topicOn{q.Topic, at.Broker}
		if byTopic[of] == nil {
			byTopic[of] = map[*routing.Queue]int{}
		}
		byTopic[of][q] = at.ID
	}
	ends := map[*routing.Queue]int64{}
	for of, some := range byTopic {
		listed := map[int]rocketmq.QueueRange{}
		if l.Clusters[on].Proxy() == "" && len(some) > 1 { // proxies have no such list
			broker, err := l.Clusters[on].Broker(ctx, of.broker)
			if err != nil {
				return nil, err
			}
			if listed, err = l.Clusters[on].Client().TopicStats(ctx, broker.Addr, of.topic); err != nil {
				return nil, err
			}
		}
		for q, id := range some {
			r, there := listed[id]
			if ends[q] = r.Max; there && r.Max >= q.Acked(on) {
				continue
			}
			end, err := l.End(ctx, q, on)
			if err != nil {
				return nil, err
			}
			ends[q] = end
		}
	}
	return ends, nil
}

// Position is a group's committed position on a side, as a native one.
func (l Lanes) Position(ctx context.Context, q *routing.Queue, group string, on routing.Side) (int64, bool, error) {
	at, err := q.On(on)
	if err != nil {
		return 0, false, err
	}
	broker, err := l.Clusters[on].Broker(ctx, at.Broker)
	if err != nil {
		return 0, false, err
	}
	return l.Clusters[on].Client().QueryOffset(ctx, broker.Addr, group, q.Topic, at.ID)
}

// Commit writes a group's position on a side, and reads it back: brokers acknowledge some that they
// don't take.
func (l Lanes) Commit(ctx context.Context, q *routing.Queue, group string, on routing.Side, position int64) error {
	for {
		if err := l.write(ctx, q, group, on, position); err != nil {
			return err
		}
		got, known, err := l.Position(ctx, q, group, on)
		if err == nil && known && got == position {
			return nil
		}
		if sleep.For(ctx, 10*ProofPause) != nil {
			return fmt.Errorf("group %s, queue %s: position %d on the %s was acknowledged and reads %d: %w",
				group, q, position, on, got, context.Cause(ctx))
		}
	}
}

// write writes a group's position on a side.
func (l Lanes) write(ctx context.Context, q *routing.Queue, group string, on routing.Side, position int64) error {
	at, err := q.On(on)
	if err != nil {
		return err
	}
	broker, err := l.Clusters[on].Broker(ctx, at.Broker)
	if err != nil {
		return err
	}
	return l.Clusters[on].Client().UpdateOffset(ctx, broker.Addr, group, q.Topic, at.ID, position)
}
