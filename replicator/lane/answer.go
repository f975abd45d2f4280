package lane

import (
	"errors"
	"fmt"
	"slices"
)

// Actions of an Answer.
const (
	Retry = "retry" // the cause is gone: the lane goes on where it stands
	Skip  = "skip"  // the messages [From, To) are given up: they are not copied

	// Restart is for a topic that was deleted and made anew: the lane begins again at the first
	// message that the source holds. What it copied before belongs to the old topic.
	Restart = "restart"
)

// Answer is what a person decides about a lane that stopped with a fault. Side, Topic, Broker and
// Queue name the queue that the lane reads, From and To are offsets there.
type Answer struct {
	Side   Side   `json:"side,omitempty"` // of the queue: source, as if absent, or target
	Topic  string `json:"topic"`
	Broker string `json:"broker"`
	Queue  int    `json:"queue"`
	Action string `json:"action"`         // retry, skip or restart
	From   int64  `json:"from,omitempty"` // of skip: the first offset given up
	To     int64  `json:"to,omitempty"`   // of skip: the first offset after those given up
}

func (a Answer) String() string {
	at := fmt.Sprintf("topic %s, %squeue %s/%d", a.Topic, ofTarget(a.Side), a.Broker, a.Queue)
	if a.Action == Skip {
		return fmt.Sprintf("%s: skip offsets %d to %d", at, a.From, a.To-1)
	}
	return fmt.Sprintf("%s: %s", at, a.Action)
}

func ofTarget(side Side) string {
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
	case !slices.Contains([]Side{"", SideSource, SideTarget}, a.Side):
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

// Of reports whether the answer is for that lane, in that direction.
func (a Answer) Of(l Lane, back bool) bool {
	return back == (a.Side == SideTarget) && a.Topic == l.Topic && a.Broker == l.Source.Broker && a.Queue == l.Source.ID
}
