package replicator

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/rocketmq"
)

// crew does for all lanes of one direction what would cost too much if each of ten thousand idle lanes did it: locks are renewed by
// the thousand, and only lanes that moved commit.
type crew struct {
	*Replicator
	lanes    []*runner
	renewing sync.WaitGroup
	starts   map[string]chan struct{} // per broker: how many lanes may find their place at once
}

const (
	locksTogether   = 1000 // in one request: about 60 KB
	commitsTogether = 8    // lanes of one pair of brokers that commit at the same time
	startsTogether  = 256  // lanes of one target broker that find their place at the same time
)

func newCrew(r *Replicator, lanes []*runner) *crew {
	c := &crew{Replicator: r, lanes: lanes, starts: map[string]chan struct{}{}}
	for _, l := range lanes {
		l.crew = c
		if c.starts[l.Target.Broker] == nil {
			c.starts[l.Target.Broker] = make(chan struct{}, startsTogether)
		}
	}
	return c
}

// work serves the lanes until the context ends.
func (c *crew) work(ctx context.Context, all *sync.WaitGroup) {
	for broker, lanes := range grouped(c.lanes, func(l *runner) string { return l.Target.Broker }) {
		c.renewing.Go(func() { c.every(ctx, c.timing.renew/4, func() { c.renewLocks(ctx, broker, lanes) }) })
	}
	for _, lanes := range grouped(c.lanes, func(l *runner) [2]string { return [2]string{l.Source.Broker, l.Target.Broker} }) {
		all.Go(func() { c.every(ctx, c.timing.caughtUp, func() { c.commitMoved(ctx, lanes) }) })
	}
	type place struct{ broker, topic string }
	for at, lanes := range grouped(c.lanes, func(l *runner) place { return place{l.Source.Broker, l.Topic} }) {
		if lanes[0].twin != nil {
			all.Go(func() { c.every(ctx, c.timing.look, func() { c.lookAtEnds(ctx, at.broker, at.topic, lanes) }) })
		}
	}
}

func grouped[K comparable](lanes []*runner, key func(*runner) K) map[K][]*runner {
	groups := map[K][]*runner{}
	for _, l := range lanes {
		groups[key(l)] = append(groups[key(l)], l)
	}
	return groups
}

func (c *crew) every(ctx context.Context, pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// renewLocks renews the locks that lanes hold on a broker. A lane whose lock isn't renewed asks for it itself, and says why it waits.
func (c *crew) renewLocks(ctx context.Context, broker string, lanes []*runner) {
	var due []*runner
	for _, l := range lanes {
		if renewed := l.snapshot().renewed; !renewed.IsZero() && time.Since(renewed) > c.timing.renew/2 {
			due = append(due, l)
		}
	}
	for len(due) > 0 && ctx.Err() == nil {
		some := due[:min(len(due), locksTogether)]
		due = due[len(some):]
		c.renewSome(ctx, broker, some)
	}
}

func (c *crew) renewSome(ctx context.Context, broker string, lanes []*runner) {
	asking, cancel := context.WithTimeout(ctx, c.timing.finish)
	defer cancel()
	queues := make([]rocketmq.MessageQueue, len(lanes))
	for i, l := range lanes {
		queues[i] = l.lockName()
	}
	begin := time.Now()
	locked, err := c.target.lock(asking, broker, c.options.Group, c.options.Holder, queues)
	if err != nil {
		return // there is time left for the next try
	}
	held := map[rocketmq.MessageQueue]bool{}
	for _, q := range locked {
		held[q] = true
	}
	for i, l := range lanes {
		l.change(func(s *laneState) {
			switch {
			case s.renewed.IsZero(): // it was given back in the meantime
			case held[queues[i]]:
				s.renewed = begin
			default:
				s.renewed = time.Time{}
			}
		})
	}
}

// commitMoved commits the progress of lanes that moved: about every second, and sooner when they have just caught up.
func (c *crew) commitMoved(ctx context.Context, lanes []*runner) {
	var together errgroup.Group
	together.SetLimit(commitsTogether)
	for _, l := range lanes {
		if !l.commitDue() {
			continue
		}
		together.Go(func() error {
			if err := l.commit(ctx); err != nil && ctx.Err() == nil {
				l.change(func(s *laneState) { s.uncommitted, s.savedAt = err.Error(), time.Now() })
			}
			return nil
		})
	}
	_ = together.Wait() // each lane says itself what went wrong
}

// lookAtEnds tells lanes that rest where their queues end.
func (c *crew) lookAtEnds(ctx context.Context, broker, topic string, lanes []*runner) {
	before := map[*runner]sends{}
	for _, l := range lanes {
		if sends := l.twin.sends.Load(); l.snapshot().resting && sends.all() {
			before[l] = sends
		}
	}
	if len(before) == 0 {
		return
	}
	ends, err := c.source.ends(ctx, broker, topic)
	if err != nil {
		return // the next look, or the lock, shows whether it lasts
	}
	for l, sends := range before {
		if l.twin.sends.Load() == sends { // else the answer to a send tells more
			l.change(func(s *laneState) { s.end = max(s.next, ends[l.Source.ID]) })
			l.rouse()
		}
	}
}
