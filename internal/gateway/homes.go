package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/replicator"
)

// provedTogether is how many queues are looked at at the same time.
const provedTogether = 32

// holding is a move of homes under way: sends to the queues wait.
type holding struct {
	queues []*queue
	to     side
	hold   *hold
	ends   map[*queue][2]int64 // of the source and of the target, once proved
}

// holdSends makes sends to the queues wait, all or none.
func (g *Gateway) holdSends(queues []*queue, to side) (*holding, error) {
	m := &holding{to: to, hold: &hold{done: make(chan struct{})}, ends: map[*queue][2]int64{}}
	for _, q := range queues {
		if q.at() == to {
			continue
		}
		if q.lane.Load() == nil {
			m.release()
			return nil, fmt.Errorf("queue %s has no lane to the target: is the topic imported?", q)
		}
		if !q.hold.CompareAndSwap(nil, m.hold) {
			m.release()
			return nil, fmt.Errorf("queue %s is being moved already", q)
		}
		m.queues = append(m.queues, q)
	}
	return m, nil
}

// settle waits until every send to the queues is answered.
func (g *Gateway) settle(ctx context.Context, m *holding) error {
	of := map[*queue]*hold{}
	for _, q := range m.queues {
		of[q] = m.hold
	}
	for {
		n := 0
		for _, s := range g.all() {
			n += s.sendsTo(of)
		}
		lost := g.losses.among(of)
		if n == 0 && lost == nil {
			return nil
		}
		if wait(ctx, proofPause/2) != nil {
			if lost != nil {
				return fmt.Errorf("queue %s: a send was lost with its connection, and may still be on its way to the broker: %w", lost, context.Cause(ctx))
			}
			return fmt.Errorf("%d sends are without an answer: %w", n, context.Cause(ctx))
		}
	}
}

// prove waits until the other side holds everything that the queues hold.
func (g *Gateway) prove(ctx context.Context, m *holding) error {
	l, err := g.lanes()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(provedTogether)
	for _, q := range m.queues {
		all.Go(func() error {
			here, there, err := l.copied(ctx, q, m.to.other())
			mu.Lock()
			defer mu.Unlock()
			ends := [2]int64{}
			ends[m.to.other()], ends[m.to] = here, there
			m.ends[q] = ends
			return err
		})
	}
	return all.Wait()
}

// flip makes the queues' new homes known: on disk first.
func (g *Gateway) flip(m *holding) error {
	defer m.release()
	for _, q := range m.queues {
		q.shift.Store(m.ends[q][target] - m.ends[q][source])
		q.home.Store(uint32(m.to))
		g.away.Add(away(m.to))
	}
	g.moves.epoch.Add(1)
	err := g.save()
	if err == nil {
		return nil
	}
	for _, q := range m.queues {
		q.home.Store(uint32(m.to.other()))
		g.away.Add(-away(m.to))
	}
	return err
}

// away is what a move to a side adds to what isn't at the source.
func away(to side) int64 {
	if to == target {
		return 1
	}
	return -1
}

// release lets the sends go that have waited, then those that come.
func (m *holding) release() {
	waiting := m.hold.end()
	for _, p := range waiting {
		p.session.release(p.raw)
	}
	for _, q := range m.queues {
		q.hold.Store(nil)
	}
	close(m.hold.done)
}

var errBudget = errors.New("its budget passed, and everything is as it was")

// readAheadTime bounds how long reading ahead may take: minutes where much was written since the last move.
const readAheadTime = 5 * time.Minute

// readAhead learns how the replicas of queues are made up so far, while everything flows. What is new since then is read in the move itself.
func (g *Gateway) readAhead(ctx context.Context, queues []*queue, from side) error {
	l, err := g.lanes()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readAheadTime, errors.New("reading ahead took too long"))
	defer cancel()
	var all errgroup.Group
	all.SetLimit(provedTogether)
	for _, q := range queues {
		all.Go(func() error {
			if q.lane.Load() == nil {
				return nil // which is said where it matters
			}
			for range 2 { // the second time reads what came during the first
				_, err := l.across(ctx, q, from, 0)
				if err != nil && !errors.Is(err, replicator.ErrNotCopiedYet) {
					return fmt.Errorf("queue %s: %w", q, err)
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// moveHomes moves the homes of queues to a side, all of them or none. When the budget passes, producers' sends go to where they went
// before.
func (g *Gateway) moveHomes(ctx context.Context, queues []*queue, to side, budget time.Duration) (done outcome, err error) {
	if err := g.readAhead(ctx, queues, to.other()); err != nil {
		return done, err
	}
	begin := time.Now()
	defer func() { done.held = time.Since(begin) }()
	ctx, cancel := context.WithTimeoutCause(ctx, budget, errBudget)
	defer cancel()
	m, err := g.holdSends(queues, to)
	if err != nil {
		return done, err
	}
	if err = g.settle(ctx, m); err == nil {
		err = g.prove(ctx, m)
	}
	if err != nil {
		m.release()
		return done, err
	}
	done.moved = len(m.queues)
	return done, g.flip(m)
}

// outcome is what a move has moved, and how long sends or pulls have waited for it.
type outcome struct {
	moved int
	held  time.Duration
}

// losses are queues with sends whose answers were lost with a connection. The broker may store them a little later.
type losses struct {
	mu   sync.Mutex
	when map[*queue]time.Time
}

// lossTime is how long a broker may still work off what came over a connection that broke.
const lossTime = 10 * time.Second

func (g *Gateway) unanswered(q *queue) {
	g.losses.mu.Lock()
	defer g.losses.mu.Unlock()
	if g.losses.when == nil {
		g.losses.when = map[*queue]time.Time{}
	}
	g.losses.when[q] = time.Now()
}

// among is one of the queues that has lost a send a short time ago.
func (l *losses) among(of map[*queue]*hold) *queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	for q, when := range l.when {
		switch {
		case time.Since(when) > lossTime:
			delete(l.when, q)
		case of[q] != nil:
			return q
		}
	}
	return nil
}
