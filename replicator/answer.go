package replicator

import (
	"fmt"
	"slices"

	"rocketshift/replicator/lane"
)

// Answer gives a person's answer to a lane that stopped with a fault, while it runs.
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
	fault := l.snapshot().fault
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

// skipTo returns the offset behind those that a person gave up, if the offset is one of them.
func (l *laneWorker) skipTo(offset int64) (to int64, skip bool) {
	for again := true; again; {
		again = false
		for _, s := range l.skips {
			if s.From <= offset && offset < s.To {
				offset, skip, again = s.To, true, true
			}
		}
	}
	return offset, skip
}
