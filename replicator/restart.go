package replicator

import (
	"context"
	"fmt"
)

// OfNewTopic reports whether the fault is what a topic shows that was deleted and made anew, so that the answer Restart fits it. Where lanes go
// both ways it must be the source's: of a target that was made anew nobody could tell what applications had written there.
func (f *LaneFault) OfNewTopic(bothWays bool) bool {
	if bothWays && f.Side == SideTarget {
		return f.Type == TargetTruncated
	}
	return f.Type == SourceReset || !bothWays && f.Type == TargetTruncated
}

// restart begins the lane anew, if a person said so: stamps carry the number of the new epoch from then on, and copies of epochs
// before don't count. The answer alone does nothing. It takes a fault that it fits, so that one which is read again after a kill
// restarts no lane that is in order: the epoch that a lane is in can be read off its last copy.
func (l *runner) restart(fault *LaneFault) bool {
	if l.restarts <= l.epoch || !fault.OfNewTopic(l.twin != nil) {
		return false
	}
	l.restarted(l.epoch + 1)
	l.ready, l.narrow = false, 0
	clear(l.seen)
	l.change(func(s *laneState) {
		s.next, s.tail, s.end, s.started, s.skippedTo = 0, 0, 0, false, 0
		s.fault, s.waiting = nil, "it begins anew, after: "+fault.Cause
		s.saved, s.commits = saved{}, 0
	})
	return true
}

// findEpoch reads off the target queue how often the lane was restarted before: its last copy says so.
func (l *runner) findEpoch(ctx context.Context, q queue) error {
	if l.restarts <= l.epoch {
		return nil
	}
	epoch, err := epochOf(ctx, q, &l.stamper)
	if err != nil {
		return fmt.Errorf("the lane's last copy: %w", err)
	}
	if epoch > l.epoch {
		l.restarted(epoch)
	}
	return nil
}

// epochOf is the newest epoch of the copies that a lane made on a queue, of those about the last one: applications may send older
// ones again.
func epochOf(ctx context.Context, q queue, stamps *stamper) (int, error) {
	first, last, err := q.bounds(ctx)
	if err != nil {
		return 0, err
	}
	epoch := 0
	ours := func(m placed) bool {
		stamp, ok := ParseStamp(m.Properties)
		if ok = ok && stamps.made(stamp); ok {
			epoch = max(epoch, stamp.Epoch)
		}
		return ok
	}
	near := max(first, last-window)
	found := false
	if err := q.each(ctx, near, last, func(m placed) bool { found = ours(m) || found; return true }); err != nil || found {
		return epoch, err
	}
	_, _, err = q.lastBefore(ctx, first, near, ours)
	return epoch, err
}

// inEpoch makes a comparison count the copies of the lane's present epoch: those of before are of a topic that is no more.
func (v *verification) inEpoch(ctx context.Context, source, target queue, lane Lane) error {
	for _, a := range v.answers {
		if a.Action == Restart && a.of(lane.Back(), true) {
			epoch, err := epochOf(ctx, source, &v.reverse)
			if err != nil {
				return err
			}
			v.reverse.restarted(epoch)
		}
		if a.Action == Restart && a.of(lane, false) {
			epoch, err := epochOf(ctx, target, &v.stamps)
			if err != nil {
				return err
			}
			v.stamps.restarted(epoch)
		}
	}
	return nil
}

// restarted takes note of the first copy that the lane made after it was restarted: those before it count as natives from then on.
func (c *cuts) restarted(m placed, stamps *stamper) bool {
	stamp, ok := ParseStamp(m.Properties)
	if !ok || stamp.Epoch <= stamps.epoch || !stamps.made(stamp) {
		return false
	}
	if len(c.runs) > 0 {
		first := c.runs[0].position
		if c.natives.Count > 0 {
			first = min(first, c.natives.First)
		}
		c.natives.First, c.natives.Last = first, m.position-1
		for _, r := range c.runs {
			c.natives.Count += r.length
		}
	}
	c.runs, c.newest, c.epoch = nil, -1, stamp.Epoch
	stamps.restarted(stamp.Epoch)
	return true
}
