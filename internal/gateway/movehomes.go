package gateway

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// holding is a move of homes under way: sends to the queues wait.
type holding struct {
	mu     sync.Mutex // held while what waits is let go
	queues []*routing.Queue
	to     routing.Side
	hold   *routing.Hold
	ends   map[*routing.Queue][2]int64 // of the source and of the target, once proved
}

// holdSends makes sends to the queues wait, all or none.
func (g *Gateway) holdSends(queues []*routing.Queue, to routing.Side) (*holding, error) {
	m := &holding{to: to, hold: routing.NewHold(), ends: map[*routing.Queue][2]int64{}}
	for _, q := range queues {
		if q.At() == to {
			continue
		}
		if q.Lane() == nil {
			m.release()
			return nil, fmt.Errorf("queue %s has no lane to the target: is the topic imported?", q)
		}
		if !q.Held(m.hold) {
			m.release()
			return nil, fmt.Errorf("queue %s is being moved already", q)
		}
		m.queues = append(m.queues, q)
	}
	return m, nil
}

// holdAll makes sends to queues wait, whatever else is done with them.
func (g *Gateway) holdAll(queues []*routing.Queue) *holding {
	m := &holding{hold: routing.NewHold()}
	for _, q := range queues {
		if q.Held(m.hold) {
			m.queues = append(m.queues, q)
		}
	}
	return m
}

// prove waits until the other side holds everything that the queues hold. Nobody sends to them
// meanwhile; what arrives all the same, as it was on its way to the broker for longer than anybody
// could know, is waited for too.
func prove(ctx context.Context, bs *replicas.Sides, m *holding) error {
	l, err := bs.Lanes()
	if err != nil {
		return err
	}
	from := m.to.Other()
	for left := m.queues; len(left) > 0; {
		if err := l.Copied(ctx, left, from, m.ends); err != nil {
			return err
		}
		ends, err := l.Ends(ctx, left, from)
		if err != nil {
			return err
		}
		left = slices.DeleteFunc(slices.Clone(left), func(q *routing.Queue) bool { return ends[q] == m.ends[q][from] })
	}
	return nil
}

// release lets the sends go that have waited, then those that come.
func (m *holding) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flush()
}

// flush lets the sends go. The queues can't be moved again before all are on their way.
func (m *holding) flush() {
	h, queues := m.hold, m.queues
	h.End(func() {
		for _, q := range queues {
			q.Freed(h)
		}
	})
}

// doubt refuses sends to ordered topics, and lets all others go to where they went before.
func (m *holding) doubt(ordered func(topic string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	refusing := routing.NewRefusing()
	for _, q := range m.queues {
		if ordered(q.Topic) {
			q.HeldInstead(refusing)
		}
	}
	m.flush()
	m.hold = refusing
}

// prepareHomes makes sends to the queues wait, and those that are under way come to their ends.
func (g *Gateway) prepareHomes(
	ctx context.Context, r store.Round, to routing.Side,
) (homes *holding, known store.Prepared, err error) {
	queues, err := g.queuesOf(control.Move{To: r.To, Queues: r.Queues})
	if err != nil {
		return nil, known, err
	}
	if err := g.worthATry(r, queues); err != nil && !r.WithoutTarget {
		return nil, known, err
	}
	if homes, err = g.holdSends(queues, to); err != nil {
		return nil, known, err
	}
	if !r.WithoutTarget { // what is stored there late is owed as the rest is
		known.Inexact, err = g.settle(ctx, homes, r.Accept)
	}
	if err != nil {
		return homes, known, err
	}
	for _, q := range homes.queues {
		known.Queues = append(known.Queues, store.PreparedQueue{
			TopicQueue: q.Name(),
			Acked:      [2]int64{q.Acked(routing.Source), q.Acked(routing.Target)},
		})
	}
	return homes, known, nil
}

// learnAcknowledged takes over what any gateway has an acknowledgement of: a queue must show it.
func learnAcknowledged(rt *routing.Table, all []store.Prepared) {
	for _, known := range all {
		for _, q := range known.Queues {
			here := rt.QueueFor(q.Topic, q.Broker, q.ID)
			for _, on := range []routing.Side{routing.Source, routing.Target} {
				here.Acknowledged(on, q.Acked[on]-1)
			}
		}
	}
}

// proveHomes waits until the side that homes go to holds everything that the queues hold, and
// returns the new homes.
func (g *Gateway) proveHomes(ctx context.Context, p *rounds.Current, all []store.Prepared) (*store.Outcome, error) {
	for _, known := range all {
		if p.Round().Ends != nil {
			p.Round().Ends.Inexact = append(p.Round().Ends.Inexact, known.Inexact...)
		}
	}
	learnAcknowledged(&g.table, all)
	if err := prove(ctx, &g.sides, heldFor(p).homes); err != nil {
		return nil, err
	}
	o := &store.Outcome{}
	for _, q := range heldFor(p).homes.queues {
		shift := heldFor(p).homes.ends[q][routing.Target] - heldFor(p).homes.ends[q][routing.Source]
		o.Homes = append(o.Homes,
			store.Home{Topic: q.Topic, Broker: q.Broker, Queue: q.ID, Home: p.To().String(), Shift: shift})
		o.Lanes = append(o.Lanes, *q.Lane())
	}
	return o, nil
}
