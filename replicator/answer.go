package replicator

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// Answer gives a running lane that stopped with a fault the answer of a person.
func (r *Replicator) Answer(a lane.Answer) error {
	if err := a.Validate(); err != nil {
		return err
	}
	r.mu.Lock()
	w := r.work
	r.mu.Unlock()
	if w != nil {
		for _, l := range slices.Concat(w.all(0), w.all(1)) {
			if a.Of(l.Lane, l.back) {
				return l.answer(a)
			}
		}
	}
	return fmt.Errorf("%s: no lane that runs here reads this queue", a)
}

func (l *laneWorker) answer(a lane.Answer) error {
	fault := l.state.snapshot().fault
	switch {
	case fault == nil:
		return fmt.Errorf("%s: the lane has no fault", a)
	case a.Action == lane.Skip && (fault.From < a.From || fault.From >= a.To):
		return fmt.Errorf("%s: the lane stands at offset %d, which must be among those to skip", a, fault.From)
	case a.Action == lane.Restart && l.reverse != nil && !fault.OfNewTopic(true) && fault.OfNewTopic(false):
		return fmt.Errorf(
			"%s: the lane's fault is %s, its topic was made anew on the target, and its lanes go both ways: "+
				"nobody could tell what applications had written there. Exclude the topic, and give it a "+
				"migration of its own",
			a,
			fault.Type,
		)
	case a.Action == lane.Restart && !fault.OfNewTopic(l.reverse != nil):
		return fmt.Errorf(
			"%s: the lane's fault is %s: only a topic that was made anew (%s, %s) can be copied from its "+
				"beginning again",
			a,
			fault.Type,
			lane.SourceReset,
			lane.TargetTruncated,
		)
	}
	select {
	case l.answered <- a:
		return nil
	default:
		return fmt.Errorf("%s: the lane has an answer already", a)
	}
}

// decisions are what persons decided about the lane's faults. They belong to the copying loop;
// answers reach it by the lane's channel.
type decisions struct {
	skips    []lane.Span // offsets that a person gave up
	restarts int         // how often a person let the lane begin anew
}

// keep remembers a decision.
func (d *decisions) keep(a lane.Answer) {
	switch a.Action {
	case lane.Skip:
		d.skips = append(d.skips, lane.Span{From: a.From, To: a.To})
	case lane.Restart:
		d.restarts++
		d.skips = nil // they were offsets of the old topic
	}
}

// skipTo returns the first offset after the given-up ones, if the offset is one of them.
func (d *decisions) skipTo(offset int64) (to int64, skip bool) {
	for again := true; again; {
		again = false
		for _, s := range d.skips {
			if s.From <= offset && offset < s.To {
				offset, skip, again = s.To, true, true
			}
		}
	}
	return offset, skip
}

// restart makes the lane begin anew, if a person said so and the fault is one that the answer fits.
// From then on stamps carry the number of the new epoch, and copies of earlier epochs don't count.
//
// The answer alone does nothing: a lane reads all earlier answers again after a kill, and one that
// is in order must not restart. The epoch of a lane can be read from its last copy.
func (c *copyLoop) restart(fault *lane.Fault) bool {
	if c.decisions.restarts <= c.stamps.Epoch || !fault.OfNewTopic(c.lane.reverse != nil) {
		return false
	}
	c.stamps.Restarted(c.stamps.Epoch + 1)
	c.ready, c.batcher.narrow = false, 0
	clear(c.origins.newest)
	c.lane.state.change(func(s *laneState) {
		s.next, s.tail, s.end, s.started, s.skippedTo = 0, 0, 0, false, 0
		s.fault, s.waiting = nil, "it begins anew, after: "+fault.Cause
		s.committed.saved, s.committed.times = saved{}, 0
	})
	return true
}

// findEpoch reads from the target queue how often the lane was restarted: its last copy says so.
func (c *copyLoop) findEpoch(ctx context.Context, q replica.Reader) error {
	if c.decisions.restarts <= c.stamps.Epoch {
		return nil
	}
	epoch, err := replica.EpochOf(ctx, q, &c.stamps)
	if err != nil {
		return fmt.Errorf("the lane's last copy: %w", err)
	}
	if epoch > c.stamps.Epoch {
		c.stamps.Restarted(epoch)
	}
	return nil
}
