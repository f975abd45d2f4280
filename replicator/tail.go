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
	after  int64 // position behind it; without any, the end of the queue
	copy   remoting.Message
	first  int64 // first position that the queue still holds
	hinted bool  // there is a hint, so that a lane has run before
	lost   bool  // the queue ends before the hint: copies were lost
	unsure int64 // stamped offset from which copies are of a batch without an answer, if there is one
	stored batch // what is there of that batch
}

// batch is how much copies are.
type batch struct{ copies, bytes int64 }

// settledTail reads the tail. Where a batch may still be on its way, sent by this lane or by one
// before it, the tail counts when it stood still after the broker had taken up every send that it
// received before.
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

// newestCopy starts at the hint, the committed position behind the newest copy that was known then,
// and looks for newer ones up to the end of the queue. Without a hint it looks back from the end;
// should that miss copies that were made, it looks everywhere.
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

// nearHint looks for the newest copy of a lane that has a reverse one from a position near the
// hint. Messages of applications lie between copies there, so that a copy may be further back:
// where the source holds anything that seems to be uncopied, all of the queue is read.
func (c *copyLoop) nearHint(ctx context.Context, q replica.Reader, none tail, from, progress int64) (tail, error) {
	first, last := none.first, none.after
	end, err := none.read(ctx, q, from, last, c.stamps)
	// its copies may lie further back: what was committed may be of the epoch before
	if err == nil && end.newest < 0 && c.stamps.Epoch > 0 {
		return none.read(ctx, q, first, last, c.stamps)
	}
	if gap, errGap := c.uncopied(ctx, end.newest+1, progress); err != nil || errGap != nil || !gap {
		return end, cmp.Or(err, errGap)
	}
	return none.read(ctx, q, first, last, c.stamps)
}

// lookFrom is how far back copies of the lane may lie. A reverse lane that seems to run for the
// first time need not read all of the source's history for them: if the forward lane has copied
// nothing either, a window is enough for what a kill made brokers forget.
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
// lane. Where natives are many on the target, the newest copy may be too far back to be found soon;
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
