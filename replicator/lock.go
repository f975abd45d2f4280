package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
)

// hold makes sure that the lane may send: its lock on the target queue is held, and was renewed
// lately enough that it can't have lapsed, nor lapse before a send is given up. Brokers forget a
// lock 60 s after its last renewal; the age is taken by the monotonic clock, from when the renewal
// began.
func (c *copyLoop) hold(ctx context.Context) error {
	if c.lane.state.snapshot().lock.doubted {
		c.ready = false
		if err := c.renew(ctx); err != nil {
			return err
		}
		c.lane.state.change(func(s *laneState) { s.lock.doubted = false })
		return nil
	}
	if c.held() && time.Since(c.lane.state.snapshot().lock.renewed) < c.lane.timing.renew {
		return nil
	}
	if err := c.renew(ctx); err != nil && !c.held() {
		return err
	}
	return nil // without an answer there is time left for the next try
}

// holdToSend is hold for a send. A lane that has rested, or had trouble, renews the lock whatever
// its age: a target that was restarted in the meantime has forgotten it, and may have given it to
// another copier. One that has ended already left its hint.
func (c *copyLoop) holdToSend(ctx context.Context) error {
	if !c.held() || time.Since(c.sure) < c.lane.timing.rest {
		return c.hold(ctx)
	}
	begin := time.Now()
	if err := c.renew(ctx); err != nil {
		return err
	}
	hint, _, err := c.lane.target.Position(ctx, c.lane.options.Group, c.lane.Topic, c.lane.Target)
	if err != nil {
		return fmt.Errorf("the lane's hint: %w", err)
	}
	if now := c.lane.state.snapshot(); hint > max(now.tail, now.committed.saved.tail) {
		c.ready = false
	}
	c.sure = begin
	return nil
}

func (c *copyLoop) held() bool {
	return c.lane.state.snapshot().lock.held(c.lane.timing.lockValid)
}

func (c *copyLoop) renew(ctx context.Context) error {
	if !c.held() {
		c.ready = false // another copier may have had the queue: the tail must be read again
		c.lapses++
	}
	begin := time.Now()
	asking, cancel := context.WithTimeout(ctx, c.lane.timing.finish)
	defer cancel()
	locked, err := c.lane.target.Lock(asking, c.lane.Target.Broker, c.lane.options.Group, c.lane.options.Holder,
		[]rocketmq.MessageQueue{c.lane.lockName()})
	switch {
	case err != nil:
		return fmt.Errorf("lock of the target queue: %w", err)
	case len(locked) == 0:
		c.ready = false
		c.lane.state.change(func(s *laneState) { s.lock.renewed = time.Time{} })
		return fmt.Errorf(
			"topic %s: target queue %s is locked by another copier of group %s: the lane goes on when that "+
				"one ends, at the latest a minute after it died",
			c.lane.Topic,
			c.lane.Target,
			c.lane.options.Group,
		)
	}
	c.lane.state.change(func(s *laneState) { s.lock.renewed = begin })
	return nil
}
