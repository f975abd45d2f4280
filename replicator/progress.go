package replicator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Progress is how far the lanes of one run are.
type Progress struct {
	Lanes    int         `json:"lanes"`
	Copied   int64       `json:"copied"`            // messages copied by this run
	Lag      int64       `json:"lag"`               // messages on the source that aren't copied yet
	Skipped  int64       `json:"skipped,omitempty"` // messages that persons gave up
	CaughtUp int         `json:"caughtUp"`          // lanes without lag
	Faults   []LaneFault `json:"faults,omitempty"`
	Waiting  string      `json:"waiting,omitempty"` // for what lanes wait, such as a broker that is down
	Slowed   string      `json:"slowed,omitempty"`  // what holds lanes back, such as a rate
	Back     *Progress   `json:"back,omitempty"`    // of the reverse lanes, if there are any

	Topics     []TopicProgress `json:"topics,omitempty"`     // worst first: faults, then lag, then names
	Stragglers []Straggler     `json:"stragglers,omitempty"` // busiest first
}

// TopicProgress is how far the lanes of one topic are in one run. Lanes that wait may be many; Reason is that of the worst.
type TopicProgress struct {
	Topic      string  `json:"topic"`
	Lanes      int     `json:"lanes"`
	CaughtUp   int     `json:"caughtUp"`
	Lag        int64   `json:"lag"`                  // messages
	LagSeconds float64 `json:"lagSeconds"`           // age of the newest copied message of the lane that is furthest behind; 0 when caught up
	Copied     int64   `json:"copied"`               // messages
	Bytes      int64   `json:"bytes"`                // of bodies and properties
	Batches    int64   `json:"batches"`              // that carried them
	Sending    float64 `json:"sendingSeconds"`       // how long these took, altogether
	Skipped    int64   `json:"skipped,omitempty"`    // messages that persons gave up
	Stragglers int64   `json:"stragglers,omitempty"` // messages that applications wrote where they had left
	Faults     int     `json:"faults,omitempty"`     // lanes that wait for an answer
	PerSecond  float64 `json:"perSecond,omitempty"`  // messages, over the last seconds
	Reason     string  `json:"reason,omitempty"`     // why it isn't caught up: a fault, what is waited for, a rate
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

// topics sums what lanes say by topic.
func topicsOf(runners []*runner, now time.Time) []TopicProgress {
	byTopic := map[string]*TopicProgress{}
	for _, l := range runners {
		t := byTopic[l.Topic]
		if t == nil {
			t = &TopicProgress{Topic: l.Topic}
			byTopic[l.Topic] = t
		}
		t.add(l.snapshot(), now)
	}
	all := make([]TopicProgress, 0, len(byTopic))
	for _, t := range byTopic {
		all = append(all, *t)
	}
	WorstFirst(all)
	return all
}

// WorstFirst sorts topics: those with faults, then those furthest behind, then by name.
func WorstFirst(all []TopicProgress) {
	slices.SortFunc(all, func(a, b TopicProgress) int {
		return cmp.Or(cmp.Compare(b.Faults, a.Faults), cmp.Compare(b.Lag, a.Lag), cmp.Compare(a.Topic, b.Topic))
	})
}

// Plus adds what another run says of other lanes of the topic.
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

func (t *TopicProgress) add(s laneState, now time.Time) {
	t.Lanes++
	t.Lag += s.lag()
	t.Copied, t.Bytes, t.Batches, t.Skipped = t.Copied+s.copied, t.Bytes+s.bytes, t.Batches+s.batches, t.Skipped+s.skipped
	t.Sending += s.sending.Seconds()
	t.Stragglers += s.stragglers
	if s.lag() > 0 && s.stored > 0 {
		t.LagSeconds = max(t.LagSeconds, now.Sub(time.UnixMilli(s.stored)).Seconds())
	}
	switch {
	case s.fault != nil:
		t.Faults++
		t.Reason = s.fault.Error()
	case s.caughtUp() && s.waiting == "":
		t.CaughtUp++
	case t.Faults == 0 && (t.Reason == "" || s.waiting != ""):
		t.Reason = cmp.Or(s.waiting, s.uncommitted, s.slowed)
	}
}

// progressOf sums what the lanes say.
func progressOf(runners []*runner) Progress {
	p := Progress{Lanes: len(runners)}
	waiting := map[string]int{}
	for _, l := range runners {
		s := l.snapshot()
		p.Copied += s.copied
		p.Lag += s.lag()
		p.Skipped += s.skipped
		if s.slowed != "" {
			p.Slowed = s.slowed
		}
		switch {
		case s.fault != nil:
			p.Faults = append(p.Faults, *s.fault)
		case s.waiting != "" || s.uncommitted != "":
			waiting[cmp.Or(s.waiting, s.uncommitted)]++
		case s.caughtUp():
			p.CaughtUp++
		}
	}
	p.Waiting = mostCommon(waiting)
	return p
}

// mostCommon is the reason for which most lanes wait, and how many wait for others.
func mostCommon(waiting map[string]int) string {
	if len(waiting) == 0 {
		return ""
	}
	total, worst := 0, ""
	for _, reason := range slices.Sorted(maps.Keys(waiting)) {
		total += waiting[reason]
		if waiting[reason] > waiting[worst] {
			worst = reason
		}
	}
	if total == 1 {
		return worst
	}
	return fmt.Sprintf("%d lanes wait, %d of them: %s", total, waiting[worst], worst)
}
