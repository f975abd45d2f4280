package replicator

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/replica"
)

// tail is the end of the copies on a target queue.
type tail struct {
	newest int64 // stamped offset of the newest copy, -1 without any
	after  int64 // position after the newest copy; the end of the queue without any
	copy   remoting.Message
	first  int64 // first position that the queue still holds
	hinted bool  // there is a hint, so that a lane has run before
	lost   bool  // the queue ends before the hint: copies were lost
	unsure int64 // stamped offset from which copies belong to a batch without an answer, if there is one
	stored batch // the copies of that batch that are there
}

// batch counts copies.
type batch struct{ copies, bytes int64 }

// settledTail reads the tail. A batch may still be on its way, sent by this lane or by an earlier
// one. Then the tail counts when the broker has taken up every send that it received before, and
// the tail stayed unchanged after that.
func (c *copyLoop) settledTail(ctx context.Context, progress int64) (tail, error) {
	to := c.lane.to()
	to.Between = c.hold
	now, err := c.newestCopy(ctx, to, progress)
	for settle := c.unsure || progress > 0 || now.hinted; settle && err == nil; {
		if err = c.lane.target.PassSends(ctx, c.lane.Target.Broker, c.lane.options.Group); err != nil {
			return now, fmt.Errorf("sends on their way to the target queue: %w", err)
		}
		if err = sleep.For(ctx, c.lane.timing.settle); err != nil {
			return now, err
		}
		before := now
		now, err = c.newestCopy(ctx, to, progress)
		settle = now.newest != before.newest
	}
	return now, err
}

// newestCopy starts at the hint, which is the committed position after the newest copy that was
// known then, and looks for newer copies up to the end of the queue. Without a hint it looks back
// from the end. If that misses copies that were made, it reads the whole queue.
func (c *copyLoop) newestCopy(ctx context.Context, q replica.Reader, progress int64) (tail, error) {
	if err := c.findEpoch(ctx, q); err != nil {
		return tail{}, err
	}
	hint, hinted, err := q.Position(ctx)
	if err != nil {
		return tail{}, err
	}
	first, last, err := q.Bounds(ctx)
	if err != nil {
		return tail{}, err
	}
	none := tail{
		newest: -1,
		after:  last,
		first:  first,
		hinted: hinted,
		lost:   hinted && hint > last,
		unsure: math.MaxInt64,
	}
	if now := c.lane.state.snapshot(); c.unsure && now.started {
		none.unsure = now.next
	}
	hinted = hinted && hint > 0 // 4.x says 0 where nothing was committed
	if c.lane.reverse != nil && hinted && !none.lost {
		return c.nearHint(ctx, q, none, max(first, hint-replica.Window), progress)
	}
	start := last
	if hinted && hint <= last {
		start = max(hint, first)
	}
	ours := func(m replica.Message) bool { _, yes := c.stamps.Offset(m.Message); return yes }
	if first, err = c.lookFrom(ctx, first, last, hinted, progress); err != nil {
		return none, err
	}
	found, ok, err := q.LastBefore(ctx, first, start, ours)
	if err != nil {
		return none, err
	}
	guessed := !hinted || none.lost
	if ok {
		start = found.Position
		if guessed {
			start = max(first, start-replica.Window)
		}
	}
	end, err := none.read(ctx, q, start, last, c.stamps)
	if err == nil && guessed && end.newest+1 < progress && start > first {
		return none.read(ctx, q, first, last, c.stamps)
	}
	return end, err
}

// nearHint looks for the newest copy from a position near the hint, for a lane that has a reverse
// one. Between its copies lie messages of applications, so that the newest copy may be further
// back. Where the source holds a message that seems to be uncopied, it reads the whole queue.
func (c *copyLoop) nearHint(ctx context.Context, q replica.Reader, none tail, from, progress int64) (tail, error) {
	first, last := none.first, none.after
	end, err := none.read(ctx, q, from, last, c.stamps)
	// Its copies may lie further back: the hint may be of the epoch before.
	if err == nil && end.newest < 0 && c.stamps.Epoch > 0 {
		return none.read(ctx, q, first, last, c.stamps)
	}
	if gap, errGap := c.uncopied(ctx, end.newest+1, progress); err != nil || errGap != nil || !gap {
		return end, cmp.Or(err, errGap)
	}
	return none.read(ctx, q, first, last, c.stamps)
}

// lookFrom is the first position where copies of the lane may lie. A reverse lane without a hint
// and progress seems to run for the first time, and need not read all of the source's history. If
// the forward lane has copied nothing either, a window is enough for what killed brokers forgot.
func (c *copyLoop) lookFrom(ctx context.Context, first, last int64, hinted bool, progress int64) (int64, error) {
	if !c.lane.back || hinted || progress > 0 {
		return first, nil
	}
	_, ran, err := c.firstCopy(ctx)
	if err != nil || ran {
		return first, err
	}
	return max(first, last-replica.Window), nil
}

// uncopied reports whether the source holds anything in [from, to) that isn't a copy of the reverse
// lane. Where the target holds many natives, the newest copy may be too far back to be found soon;
// then the progress counts.
func (c *copyLoop) uncopied(ctx context.Context, from, to int64) (bool, error) {
	q := c.lane.from()
	first, last, err := q.Bounds(ctx)
	if err != nil || from == 0 {
		return false, err
	}
	found := false
	err = q.Each(ctx, max(from, first), min(to, last), func(m replica.Message) bool {
		stamp, copied := replica.ParseStamp(m.Properties)
		found = !copied || !c.lane.reverse.stamps.Made(stamp)
		return !found
	})
	return found, err
}

// read looks for newer copies in [from, to).
func (t tail) read(ctx context.Context, q replica.Reader, from, to int64, stamps replica.Stamper) (tail, error) {
	err := q.Each(ctx, from, to, func(m replica.Message) bool {
		if offset, yes := stamps.Offset(m.Message); yes && offset > t.newest {
			t.newest, t.after, t.copy = offset, m.Position+1, *m.Message
			if offset >= t.unsure {
				t.stored.copies, t.stored.bytes = t.stored.copies+1, t.stored.bytes+int64(len(m.Body)+len(m.Properties))
			}
		}
		return true
	})
	return t, err
}
