package replicator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"rocketshift/replicator/lane"
)

func (w *work) progress() lane.Progress {
	now := time.Now()
	p := progressOf(w.all(0))
	p.Topics = w.rates[0].of(topicsOf(w.all(0), now), now)
	p.Stragglers = w.forward.stragglers.all(now)
	if w.forward.options.BothWays {
		back := progressOf(w.all(1))
		back.Topics = w.rates[1].of(topicsOf(w.all(1), now), now)
		back.Stragglers = w.back.stragglers.all(now)
		p.Back = &back
	}
	return p
}

// rateWindow is the least time over which rates are measured.
const rateWindow = 5 * time.Second

// rates measures how fast topics are copied.
type rates struct {
	since  time.Time
	before map[string]int64   // copied messages then
	last   map[string]float64 // messages a second in the window before
}

// of fills in the rates of topics: those of the present window as soon as it is long enough, until
// then those of the window before.
func (r *rates) of(topics []lane.TopicProgress, now time.Time) []lane.TopicProgress {
	passed := now.Sub(r.since)
	next := passed >= rateWindow
	fresh := map[string]float64{}
	for i := range topics {
		t := &topics[i]
		if !r.since.IsZero() && passed > 0 {
			fresh[t.Topic] = float64(t.Copied-r.before[t.Topic]) / passed.Seconds()
		}
		if last, measured := r.last[t.Topic]; measured && !next {
			t.PerSecond = last
		} else {
			t.PerSecond = fresh[t.Topic]
		}
	}
	if next || r.since.IsZero() {
		if !r.since.IsZero() {
			r.last = fresh
		}
		r.since, r.before = now, map[string]int64{}
		for _, t := range topics {
			r.before[t.Topic] = t.Copied
		}
	}
	return topics
}

// topicsOf sums what lanes say by topic.
func topicsOf(lanes []*laneWorker, now time.Time) []lane.TopicProgress {
	byTopic := map[string]*lane.TopicProgress{}
	for _, l := range lanes {
		t := byTopic[l.Topic]
		if t == nil {
			t = &lane.TopicProgress{Topic: l.Topic}
			byTopic[l.Topic] = t
		}
		addLane(t, l.state.snapshot(), now)
	}
	all := make([]lane.TopicProgress, 0, len(byTopic))
	for _, t := range byTopic {
		all = append(all, *t)
	}
	lane.WorstFirst(all)
	return all
}

// addLane adds a lane to its topic.
func addLane(t *lane.TopicProgress, s laneState, now time.Time) {
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
		t.Reason = cmp.Or(s.waiting, s.committed.failed, s.slowed)
	}
}

// progressOf sums what the lanes say.
func progressOf(lanes []*laneWorker) lane.Progress {
	p := lane.Progress{Lanes: len(lanes)}
	waiting := map[string]int{}
	for _, l := range lanes {
		s := l.state.snapshot()
		p.Copied += s.copied
		p.Lag += s.lag()
		p.Skipped += s.skipped
		if s.slowed != "" {
			p.Slowed = s.slowed
		}
		switch {
		case s.fault != nil:
			p.Faults = append(p.Faults, *s.fault)
		case s.waiting != "" || s.committed.failed != "":
			waiting[cmp.Or(s.waiting, s.committed.failed)]++
		case s.caughtUp():
			p.CaughtUp++
		}
	}
	p.Waiting = mostCommon(waiting)
	return p
}

// mostCommon is the reason for which most lanes wait, and how many lanes wait in all.
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
