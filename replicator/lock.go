package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
)

// hold makes sure that the lane may send: it holds the lock on the target queue, and has renewed it
// so lately that it can't lapse before a send ends or is given up. Brokers forget a lock 60 s after
// its last renewal. The lane takes its age by the monotonic clock, from the beginning of the
// renewal.
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
	return nil // the lock is still valid: the next try comes in time
}

// holdToSend is hold before a send. A lane that has rested, or had an error, renews the lock
// whatever its age: a target that was restarted meanwhile has forgotten the lock, and another
// copier may have had it. If that copier has ended, its hint shows that it copied.
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
