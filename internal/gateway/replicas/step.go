package replicas

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/positions"
)

// Beforehand is what is known of a group's position on a queue before its pulls wait.
type Beforehand struct {
	Position int64 // committed on the side that it reads, a native one
	Known    bool  // there is one
	brought  bool  // it is committed on the side that the group goes to, too
}

// BringAhead brings the group's positions to the side that it moves to while everything flows, as
// far as what lies before them is there. What is committed later is brought while its pulls wait.
func (l Lanes) BringAhead(
	ctx context.Context,
	views []*routing.View,
	to routing.Side,
) (map[*routing.View]Beforehand, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, OldTime, errors.New("bringing the group's positions took too long"))
	defer cancel()
	found := make([]Beforehand, len(views))
	var all errgroup.Group
	all.SetLimit(ProvedTogether)
	for i, v := range views {
		if v.Reads() == to || v.Queue.Lane() == nil {
			continue
		}
		all.Go(func() (err error) {
			found[i], err = l.bring(ctx, v, to)
			return err
		})
	}
	err := all.Wait()
	known := map[*routing.View]Beforehand{}
	for i, v := range views {
		known[v] = found[i]
	}
	return known, err
}

func (l Lanes) bring(ctx context.Context, v *routing.View, to routing.Side) (a Beforehand, err error) {
	if a.Position, a.Known, err = l.Position(ctx, v.Queue, v.Group, to.Other()); err != nil || !a.Known {
		return a, err
	}
	t, err := l.Across(ctx, v.Queue, to.Other(), a.Position)
	if errors.Is(err, positions.ErrNotCopiedYet) {
		return a, nil
	}
	if err == nil {
		err = l.Commit(ctx, v.Queue, v.Group, to, t.Target)
	}
	a.brought = err == nil
	return a, err
}

// Step is where a view goes on, on the side that it moves to.
type Step struct {
	Next  int64 // the group's next offset, as the group counts
	There int64 // what that is on the new side
}

// Step finds the place on the new side that is the same as the group's next offset, and commits the
// group's position there.
func (l Lanes) Step(
	ctx context.Context, v *routing.View, to routing.Side, is store.PreparedView, a Beforehand,
) (Step, error) {
	from, shift := v.Reading()
	committed, known := a.Position, a.Known
	if is.Kept >= 0 && (!known || is.Kept+shift > committed) { // a commit of before the last move
		committed, known = is.Kept+shift, true
	}
	// a client has asked for it: its broker knows whether it may
	if is.Claimed > 0 && (!known || is.Claimed+shift > committed) {
		last, there, err := l.Position(ctx, v.Queue, v.Group, from)
		if err != nil {
			return Step{}, fmt.Errorf("group %s: %w", v.Group, err)
		}
		if there && (!known || last > committed) {
			committed, known = last, true
		}
	}
	commit := l.Commit
	if a.brought {
		commit = l.write // that the other side takes them was seen just now
	}
	brought := a.brought && committed == a.Position
	var bringing errgroup.Group
	native, there, err := l.exactly(ctx, v.Queue, from, func(c positions.Crossing) (native int64, err error) {
		switch {
		case is.Next >= 0 && (!known || is.Next+shift >= committed):
			native = is.Next + shift
		case known: // what was read since was read past the gateway
			native = committed
		default: // nobody has read the queue: any place that is the same on both sides
			if native, err = endIn(v.Queue, c, from); err != nil {
				return 0, err
			}
		}
		if !known || brought {
			return native, nil
		}
		t, err := c.Across(committed)
		if err == nil {
			brought = true
			bringing.Go(func() error { return commit(ctx, v.Queue, v.Group, to, t.Target) })
		}
		return native, err
	})
	if behind := bringing.Wait(); err == nil {
		err = behind
	}
	if err != nil {
		return Step{}, fmt.Errorf("group %s: %w", v.Group, err)
	}
	return Step{native - shift, there}, nil
}

// Copied waits until the other side holds all that a side shows of queues, and notes where both
// end.
func (l Lanes) Copied(
	ctx context.Context, queues []*routing.Queue, from routing.Side, ends map[*routing.Queue][2]int64,
) error {
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(ProvedTogether)
	for _, q := range queues {
		all.Go(func() error {
			here, there, err := l.exactly(ctx, q, from,
				func(c positions.Crossing) (int64, error) { return endIn(q, c, from) })
			both := [2]int64{}
			both[from], both[from.Other()] = here, there
			mu.Lock()
			defer mu.Unlock()
			ends[q] = both
			return err
		})
	}
	return all.Wait()
}

// ReadAhead learns how the replicas of queues are made up so far, while everything flows. What is
// new since then is read in the move itself.
func (bs *Sides) ReadAhead(ctx context.Context, queues []*routing.Queue, from routing.Side) error {
	l, err := bs.Lanes()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, control.ReadAheadTime, errors.New("reading ahead took too long"))
	defer cancel()
	var all errgroup.Group
	all.SetLimit(ProvedTogether)
	for _, q := range queues {
		all.Go(func() error {
			if q.Lane() == nil {
				return nil // which is said where it matters
			}
			for range 2 { // the second time reads what came during the first
				if _, err := l.Across(ctx, q, from, 0); err != nil { // such as that its lane is far behind
					return fmt.Errorf("queue %s: %w", q, err)
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// SourceBounds are where a queue begins and ends on the source.
func (l Lanes) SourceBounds(ctx context.Context, q *routing.Queue) (first, end int64, err error) {
	if first, err = l.First(ctx, q, routing.Source); err != nil {
		return 0, 0, err
	}
	broker, err := l.Clusters[routing.Source].Broker(ctx, q.Broker)
	if err != nil {
		return 0, 0, err
	}
	end, err = l.Clusters[routing.Source].Client().MaxOffset(ctx, broker.Addr, q.Topic, q.ID)
	return first, end, err
}

// First is the oldest offset that a side still has of a queue.
func (l Lanes) First(ctx context.Context, q *routing.Queue, on routing.Side) (int64, error) {
	at, err := q.On(on)
	if err != nil {
		return 0, err
	}
	broker, err := l.Clusters[on].Broker(ctx, at.Broker)
	if err != nil {
		return 0, err
	}
	return l.Clusters[on].Client().MinOffset(ctx, broker.Addr, q.Topic, at.ID)
}

// Read reads messages of a queue's replica on a side.
func (l Lanes) Read(
	ctx context.Context, q *routing.Queue, on routing.Side, from int64, most int,
) ([]remoting.Message, error) {
	at, err := q.On(on)
	if err != nil {
		return nil, err
	}
	broker, err := l.Clusters[on].Broker(ctx, at.Broker)
	if err != nil {
		return nil, err
	}
	got, err := l.Clusters[on].Client().
		Pull(ctx, broker.Addr, rocketmq.PullRequest{
			Group: l.Migration.LaneGroup, Topic: q.Topic, Queue: at.ID, Offset: from, Max: most,
		})
	return got.Messages, err
}

// OldTime bounds how long looking for old positions may take.
const OldTime = 10 * time.Second
