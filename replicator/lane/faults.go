package lane

import (
	"cmp"
	"fmt"
)

// The types of lane faults.
const (
	SourceTruncated   = "SourceTruncated"   // messages expired on the source before they were copied
	SourceReset       = "SourceReset"       // the source queue was emptied or made anew
	SourceGone        = "SourceGone"        // the source has no such topic or queue any more
	SourceUnreadable  = "SourceUnreadable"  // the source doesn't deliver messages that it should hold
	TargetGone        = "TargetGone"        // the target has no such topic or queue any more
	TargetTruncated   = "TargetTruncated"   // copies were lost on the target, and their originals expired
	TargetRefused     = "TargetRefused"     // the target doesn't take a message
	PropertiesTooLong = "PropertiesTooLong" // a message has no room left for the stamp
)

// Fault says why a lane stopped. It concerns the offsets [From, To) of the queue that the lane
// reads.
type Fault struct {
	Side   Side   `json:"side,omitempty"` // SideTarget of a reverse lane, which reads there
	Topic  string `json:"topic"`
	Broker string `json:"broker"` // of the queue that the lane reads
	Queue  int    `json:"queue"`
	Type   string `json:"type"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Cause  string `json:"cause"`
	Next   string `json:"next"` // what a person can do
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s: topic %s, %s queue %s/%d, offsets %d to %d: %s. %s", f.Type, f.Topic,
		cmp.Or(f.Side, SideSource), f.Broker, f.Queue, f.From, f.To, f.Cause, f.Next)
}

// OfNewTopic reports whether the answer Restart fits the fault: the topic may have been deleted and
// made anew. Where lanes go both ways, that must have been the source's topic: on a target that was
// made anew, nobody could tell what applications had written there.
func (f *Fault) OfNewTopic(bothWays bool) bool {
	if bothWays && f.Side == SideTarget {
		return f.Type == TargetTruncated
	}
	return f.Type == SourceReset || !bothWays && f.Type == TargetTruncated
}

// Fault makes a fault of the lane.
func (l Lane) Fault(kind string, from, to int64, next, cause string, args ...any) *Fault {
	return &Fault{
		Topic: l.Topic, Broker: l.Source.Broker, Queue: l.Source.ID, Type: kind,
		From: from, To: to, Cause: fmt.Sprintf(cause, args...), Next: next,
	}
}
