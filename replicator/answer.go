package replicator

import (
	"errors"
	"fmt"
	"slices"
)

// Actions of an Answer.
const (
	Retry = "retry" // the cause is gone: the lane goes on where it stands
	Skip  = "skip"  // the messages [From, To) are given up: they are not copied

	// Restart is for a topic that was deleted and made anew: the lane begins again at the first message that the source holds. What it
	// copied before belongs to the old topic.
	Restart = "restart"
)

// Sides of the queue that a lane reads, in faults and answers. Brokers mostly have the same names on both sides, so that topic, broker and
// queue don't tell a reverse lane from a forward one.
const (
	SideSource = "source" // the same as an empty side
	SideTarget = "target" // of a reverse lane
)

// Answer is what a person decides about a lane that stopped with a fault. Side, Topic, Broker and Queue name the queue that the lane
// reads, From and To are offsets there.
type Answer struct {
	Side   string `json:"side,omitempty"` // SideSource or SideTarget
	Topic  string `json:"topic"`
	Broker string `json:"broker"`
	Queue  int    `json:"queue"`
	Action string `json:"action"`         // Retry, Skip or Restart
	From   int64  `json:"from,omitempty"` // of Skip
	To     int64  `json:"to,omitempty"`   // of Skip, exclusive
}

func (a Answer) String() string {
	at := fmt.Sprintf("topic %s, %squeue %s/%d", a.Topic, ofTarget(a.Side), a.Broker, a.Queue)
	if a.Action == Skip {
		return fmt.Sprintf("%s: skip offsets %d to %d", at, a.From, a.To-1)
	}
	return fmt.Sprintf("%s: %s", at, a.Action)
}

func ofTarget(side string) string {
	if side == SideTarget {
		return "target "
	}
	return ""
}

// Validate refuses an answer that can't mean anything.
func (a Answer) Validate() error {
	switch {
	case a.Topic == "" || a.Broker == "" || a.Queue < 0:
		return errors.New("the answer names no queue: give topic, broker and queue as the fault names them")
	case !slices.Contains([]string{"", SideSource, SideTarget}, a.Side):
		return fmt.Errorf("%s: side %q is unknown; allowed: %s, %s", a, a.Side, SideSource, SideTarget)
	case !slices.Contains([]string{Retry, Skip, Restart}, a.Action):
		return fmt.Errorf("%s: unknown action; allowed: %s, %s, %s", a, Retry, Skip, Restart)
	case a.Action != Skip && (a.From != 0 || a.To != 0):
		return fmt.Errorf("%s: only skip has offsets", a)
	case a.Action == Retry, a.Action == Restart:
		return nil
	case a.From < 0 || a.To <= a.From:
		return fmt.Errorf("%s: skip wants offsets from 0 up, the second greater than the first", a)
	}
	return nil
}

// of reports whether the answer is for that lane, in that direction.
func (a Answer) of(l Lane, back bool) bool {
	return back == (a.Side == SideTarget) && a.Topic == l.Topic && a.Broker == l.Source.Broker && a.Queue == l.Source.ID
}

// Answer gives a person's answer to a lane that stopped with a fault, while it runs.
func (r *Replicator) Answer(a Answer) error {
	if err := a.Validate(); err != nil {
		return err
	}
	r.mu.Lock()
	w := r.work
	r.mu.Unlock()
	if w != nil {
		for _, l := range slices.Concat(w.all(0), w.all(1)) {
			if a.of(l.Lane, l.back) {
				return l.answer(a)
			}
		}
	}
	return fmt.Errorf("%s: no lane that runs here reads this queue", a)
}

func (l *runner) answer(a Answer) error {
	fault := l.snapshot().fault
	switch {
	case fault == nil:
		return fmt.Errorf("%s: the lane has no fault", a)
	case a.Action == Skip && (fault.From < a.From || fault.From >= a.To):
		return fmt.Errorf("%s: the lane stands at offset %d, which must be among those to skip", a, fault.From)
	case a.Action == Restart && l.twin != nil && !fault.OfNewTopic(true) && fault.OfNewTopic(false):
		return fmt.Errorf("%s: the lane's fault is %s, its topic was made anew on the target, and its lanes go both ways: "+
			"nobody could tell what applications had written there. Exclude the topic, and give it a migration of its own", a, fault.Type)
	case a.Action == Restart && !fault.OfNewTopic(l.twin != nil):
		return fmt.Errorf("%s: the lane's fault is %s: only a topic that was made anew (%s, %s) can be copied from its beginning again", a, fault.Type, SourceReset, TargetTruncated)
	}
	select {
	case l.answered <- a:
		return nil
	default:
		return fmt.Errorf("%s: the lane has an answer already", a)
	}
}

// skipTo returns the offset behind those that a person gave up, if the offset is one of them.
func (l *runner) skipTo(offset int64) (to int64, skip bool) {
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
