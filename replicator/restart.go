package replicator

import (
	"context"
	"fmt"
)

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
