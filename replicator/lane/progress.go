package lane

import (
	"cmp"
	"slices"
	"time"
)

// Progress is how far the lanes of one run are.
type Progress struct {
	Lanes    int       `json:"lanes"`
	Copied   int64     `json:"copied"`            // messages copied by this run
	Lag      int64     `json:"lag"`               // messages on the source that aren't copied yet
	Skipped  int64     `json:"skipped,omitempty"` // messages that persons gave up
	CaughtUp int       `json:"caughtUp"`          // lanes without lag
	Faults   []Fault   `json:"faults,omitempty"`
	Waiting  string    `json:"waiting,omitempty"` // what lanes wait for, such as a broker that is down
	Slowed   string    `json:"slowed,omitempty"`  // what holds lanes back, such as a rate
	Back     *Progress `json:"back,omitempty"`    // of the reverse lanes, if there are any

	Topics     []TopicProgress `json:"topics,omitempty"`     // worst first: faults, then lag, then names
	Stragglers []Straggler     `json:"stragglers,omitempty"` // busiest first
}

// TopicProgress is how far the lanes of one topic are in one run. Reason is that of one lane: of a
// fault if there is one.
type TopicProgress struct {
	Topic    string `json:"topic"`
	Lanes    int    `json:"lanes"`
	CaughtUp int    `json:"caughtUp"`
	Lag      int64  `json:"lag"` // messages
	// age of the newest copied message, of the lane where it is oldest; 0 when caught up
	LagSeconds float64 `json:"lagSeconds"`
	Copied     int64   `json:"copied"`               // messages
	Bytes      int64   `json:"bytes"`                // of bodies and properties
	Batches    int64   `json:"batches"`              // that carried them
	Sending    float64 `json:"sendingSeconds"`       // how long these took, altogether
	Skipped    int64   `json:"skipped,omitempty"`    // messages that persons gave up
	Stragglers int64   `json:"stragglers,omitempty"` // messages that applications wrote after they had left the queue
	Faults     int     `json:"faults,omitempty"`     // lanes that wait for an answer
	PerSecond  float64 `json:"perSecond,omitempty"`  // messages, over the last seconds
	Reason     string  `json:"reason,omitempty"`     // why it isn't caught up: a fault, what lanes wait for, or a rate
}

// ETA is how long the topic needs at its present rate; false when it can't be told.
func (t TopicProgress) ETA() (time.Duration, bool) {
	if t.Lag == 0 {
		return 0, true
	}
	if t.PerSecond <= 0 {
		return 0, false
	}
	return time.Duration(float64(t.Lag) / t.PerSecond * float64(time.Second)), true
}

// WorstFirst sorts topics: those with most faults first, then by lag, then by name.
func WorstFirst(all []TopicProgress) {
	slices.SortFunc(all, func(a, b TopicProgress) int {
		return cmp.Or(cmp.Compare(b.Faults, a.Faults), cmp.Compare(b.Lag, a.Lag), cmp.Compare(a.Topic, b.Topic))
	})
}

// Plus adds the progress of other lanes of the topic, of another run.
func (t TopicProgress) Plus(o TopicProgress) TopicProgress {
	t.Reason = cmp.Or(t.Reason, o.Reason)
	if o.Faults > t.Faults {
		t.Reason = o.Reason
	}
	t.Lanes, t.CaughtUp, t.Faults = t.Lanes+o.Lanes, t.CaughtUp+o.CaughtUp, t.Faults+o.Faults
	t.Lag, t.LagSeconds = t.Lag+o.Lag, max(t.LagSeconds, o.LagSeconds)
	t.Copied, t.Bytes, t.Batches, t.Skipped = t.Copied+o.Copied, t.Bytes+o.Bytes, t.Batches+o.Batches, t.Skipped+o.Skipped
	t.Stragglers += o.Stragglers
	t.Sending, t.PerSecond = t.Sending+o.Sending, t.PerSecond+o.PerSecond
	return t
}
