package replicator

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// suspicionsForFault is how often in a row a lane must meet a suspicion before it is a fault.
const suspicionsForFault = 3

// copyLoop copies the messages of one lane. Only the goroutine that runs it reads and writes its
// fields, so they need no lock. resume runs on another goroutine while that one waits. Goroutines
// of pulls and sends get copies of what they need.
type copyLoop struct {
	lane      *laneWorker
	stamps    replica.Stamper // of the epoch that the lane is in
	decisions decisions
	batcher   batcher
	origins   origins

	ready     bool          // next and tail are right, and nothing is in flight
	unsure    bool          // a send has no answer
	lapses    int           // how often the lock may have lapsed
	jumped    bool          // next is after copies of the reverse lane that the queue may not show yet
	goodPulls int           // pulls so far whose answers were right
	sure      time.Time     // when the tail was last seen to be the lane's own: by reading it, or by a send
	took      time.Duration // how long the last batch was on its way
	lastOwn   time.Time     // when it last read an application's own message
}

func newCopyLoop(l *laneWorker) *copyLoop {
	c := &copyLoop{
		lane: l, stamps: l.shown.stamps, batcher: batcher{lane: l},
		origins: origins{lane: l, newest: map[replica.Origin]int64{}},
	}
	for _, a := range l.options.Answers {
		if a.Of(l.Lane, l.back) {
			c.decisions.keep(a)
		}
	}
	return c
}

// run copies until the context ends. Then it commits the positions and gives the lock back.
func (c *copyLoop) run(ctx context.Context) {
	c.repeat(ctx)
	c.lane.shown.begun()
	c.lane.checkpoint(context.WithoutCancel(ctx))
}

// repeat copies until the context ends. After a fault it waits for an answer; after every other
// error it tries again.
func (c *copyLoop) repeat(ctx context.Context) {
	pause := backoff.NewExponentialBackOff(backoff.WithInitialInterval(c.lane.timing.retryFirst),
		backoff.WithMaxInterval(c.lane.timing.retryMax), backoff.WithMaxElapsedTime(0))
	suspect, good := 0, 0
	var since time.Time
	for ctx.Err() == nil {
		before := c.lane.state.snapshot().copied
		err := c.work(ctx)
		if ctx.Err() != nil {
			return
		}
		if c.lane.state.snapshot().copied > before {
			pause.Reset()
			suspect = 0
		}
		var maybe suspicion
		if errors.As(err, &maybe) {
			if maybe.Type == lane.SourceReset &&
				// Good pulls came in between: brokers show messages a little after they
				// acknowledged them.
				c.goodPulls > good {
				suspect, good = 0, c.goodPulls
			}
			if suspect++; suspect == 1 {
				since = time.Now()
			}
			if suspect >= suspicionsForFault && time.Since(since) >= c.lane.timing.patience {
				err = maybe.Fault
			}
		}
		if fault, yes := isFault(err); yes {
			if c.lane.back {
				fault.Side = lane.SideTarget
			}
			if !c.restart(fault) && !c.awaitAnswer(ctx, fault) {
				return
			}
			pause.Reset()
			suspect = 0
			continue
		}
		c.waitFor(err)
		_ = sleep.For(ctx, pause.NextBackOff())
	}
}

// awaitAnswer waits until a person says what to do about a fault. The lane keeps its lock
// meanwhile: no other copier may go on without the answer.
func (c *copyLoop) awaitAnswer(ctx context.Context, fault *lane.Fault) bool {
	c.lane.state.change(func(s *laneState) { s.fault, s.waiting = fault, "" })
	c.lane.shown.begun()
	select {
	case <-ctx.Done():
		return false
	case a := <-c.lane.answered:
		c.decisions.keep(a)
		c.ready = false
		c.lane.state.change(func(s *laneState) { s.fault = nil })
		c.restart(fault)
		return true
	}
}

// waitFor says what the lane waits for, and forgets what it can't rely on any more: brokers that
// were killed have forgotten their locks and the last commits.
func (c *copyLoop) waitFor(err error) {
	var lost unsure
	if errors.As(err, &lost) {
		c.ready, c.unsure = false, true
	}
	c.sure = time.Time{}
	c.lane.state.change(func(s *laneState) { s.waiting, s.committed.times = err.Error(), 0 })
}

// work copies until an error.
func (c *copyLoop) work(ctx context.Context) error {
	if err := c.lane.ensureGroups(ctx); err != nil {
		return err
	}
	if c.lane.reverse != nil && !c.lane.back {
		c.lane.awaitReverse(ctx)
	}
	for {
		if err := c.hold(ctx); err != nil {
			return err
		}
		if !c.ready {
			// It has a stack of its own, which is freed when it ends: so ten thousand waiting
			// lanes need only small stacks.
			found := make(chan error)
			go func() { found <- c.resume(ctx) }()
			if err := <-found; err != nil {
				return err
			}
		}
		c.jump()
		if err := c.rest(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		if !c.ready {
			continue
		}
		messages, memory, err := c.pull(ctx)
		if err != nil {
			return err
		}
		if err := c.stream(ctx, messages, memory); err != nil {
			return err
		}
		c.lane.state.change(func(s *laneState) { s.waiting, s.slowed = "", "" }) // it has caught up
	}
}

// awaitReverse waits until the reverse lane knows where it begins, which depends on the first copy.
// If that takes long, the lane says what it waits for.
func (l *laneWorker) awaitReverse(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-l.reverse.began:
			return
		case <-ctx.Done():
			return
		case <-look.C:
			if l.source.FromSlave(ctx, l.Source.Broker) {
				return // it can't begin there now; later the copies tell it where
			}
			if reason := l.reverse.state.snapshot().waiting; reason != "" {
				l.state.change(func(s *laneState) { s.waiting = "the lane back must find its place first: " + reason })
			}
		}
	}
}
