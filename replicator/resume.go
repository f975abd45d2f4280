package replicator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// resume finds where the lane goes on: after the newest copy that the target holds.
func (c *copyLoop) resume(ctx context.Context) error {
	turn := c.lane.maintenance.turn(c.lane)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	lapses := c.lapses
	takes, err := c.lane.maintenance.batches(ctx, c.lane.Target.Broker)
	if err != nil {
		return fmt.Errorf("the largest batch that the target takes: %w", err)
	}
	c.batcher.limit(takes)
	from := c.lane.from()
	progress, known, err := from.Position(ctx)
	if err != nil {
		return err
	}
	end, err := c.settledTail(ctx, progress)
	if err != nil {
		return err
	}
	first, last, err := from.Bounds(ctx)
	if err != nil {
		return err
	}
	start := first
	if !known {
		if start, err = c.begin(ctx, first, last); err != nil {
			return err
		}
	}
	next, err := c.choose(end, progress, known, first, start, last)
	if err != nil {
		return c.orSlaveBehind(ctx, last, err)
	}
	if err := c.checkOriginal(ctx, from, end, first, last); err != nil {
		return err
	}
	c.standAt(next, last, end)
	if !end.hinted || c.stamps.Epoch > 0 { // so that the next start finds a hint
		if err := c.lane.commit(ctx); err != nil {
			return err
		}
	}
	c.lane.state.change(func(s *laneState) { s.waiting = "" })
	if c.lapses != lapses {
		return fmt.Errorf(
			"topic %s: the lock of target queue %s lapsed while the queue's end was read: it is read again",
			c.lane.Topic, c.lane.Target,
		)
	}
	c.ready, c.unsure, c.sure = true, false, time.Now()
	c.lane.shown.begun()
	return nil
}

// standAt sets where the lane goes on.
func (c *copyLoop) standAt(next, last int64, end tail) {
	c.lane.state.change(func(s *laneState) {
		s.next, s.tail, s.end, s.started = next, end.after, last, true
		s.reverse.runs = nil
		if end.stored.copies > 0 {
			s.copied, s.bytes, s.batches = s.copied+end.stored.copies, s.bytes+end.stored.bytes, s.batches+1
		}
	})
	clear(c.origins.newest)
}

// orSlaveBehind is why no offset could be chosen. Where a slave is read that has less than its
// master had, the queue wasn't made anew: the lane waits for the master.
func (c *copyLoop) orSlaveBehind(ctx context.Context, last int64, err error) error {
	var maybe suspicion
	if errors.As(err, &maybe) && maybe.Type == lane.SourceReset && c.lane.source.FromSlave(ctx, c.lane.Source.Broker) {
		return replica.SlaveBehind(lane.SideSource, c.lane.Source.Broker, last, maybe.From)
	}
	return err
}

// choose picks the next offset to copy.
func (c *copyLoop) choose(end tail, progress int64, known bool, first, start, last int64) (int64, error) {
	next := start // what expired before the first start isn't copied
	if c.stamps.Epoch > 0 && (end.newest < 0 || progress > end.newest+1 && progress > last) {
		known, progress = false, 0 // what was committed is of the epoch before
	}
	switch {
	case end.newest >= 0:
		next = end.newest + 1
		if next < first && progress >= first && !end.lost {
			next = progress // a person accepted the gap: the lanes' group was set after it
		}
	// Lanes of retry topics begin further on.
	case known && progress > first && end.first == 0 && (c.lane.reverse == nil && !replica.Alone(c.lane.Topic) || end.lost):
		return 0, c.lane.Fault(
			lane.TargetTruncated,
			first,
			progress,
			fmt.Sprintf(
				"Find out what happened to the target's topic. To copy again what the source still holds, "+
					"answer restart, or set the offset of group %s on this queue to %d, %s",
				c.lane.options.Group,
				first,
				startAgain,
			),
			"the target holds none of the copies that were made",
		)
	case known && progress > 0:
		next = progress
	}
	if to, skip := c.decisions.skipTo(next); skip {
		to = max(next, min(to, last))
		c.lane.state.change(func(s *laneState) { s.giveUp(next, to) })
		next = to
	}
	switch {
	case next < first && end.lost:
		return 0, c.lane.Fault(lane.TargetTruncated, next, first,
			"These copies were lost on the target and can't be made again",
			"their originals expired on the source")
	case next < first:
		return 0, c.lane.truncated(next, first)
	case next > last:
		return 0, c.lane.fell(next, last)
	}
	return next, nil
}

// checkOriginal compares the newest copy with its original: a topic that was made anew holds other
// messages at the same offsets.
func (c *copyLoop) checkOriginal(ctx context.Context, from replica.Reader, end tail, first, last int64) error {
	if end.newest < first || end.newest >= last {
		return nil
	}
	original, there, err := from.One(ctx, end.newest)
	if err != nil || !there {
		return err
	}
	if difference, same := replica.SameMessage(&original, &end.copy); !same {
		return c.lane.Fault(lane.SourceReset, end.newest, end.newest+1, madeAnew,
			"the source's message isn't the one whose copy is on the target: %s", difference)
	}
	return nil
}
