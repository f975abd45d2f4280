package replicator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"rocketshift/replicator/lane"
)

// topics sums what lanes say by topic.
func topicsOf(runners []*laneWorker, now time.Time) []lane.TopicProgress {
	byTopic := map[string]*lane.TopicProgress{}
	for _, l := range runners {
		t := byTopic[l.Topic]
		if t == nil {
			t = &lane.TopicProgress{Topic: l.Topic}
			byTopic[l.Topic] = t
		}
		addLane(t, l.snapshot(), now)
	}
	all := make([]lane.TopicProgress, 0, len(byTopic))
	for _, t := range byTopic {
		all = append(all, *t)
	}
	lane.WorstFirst(all)
	return all
}

// addLane counts a lane of the topic.
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
		t.Reason = cmp.Or(s.waiting, s.uncommitted, s.slowed)
	}
}

// progressOf sums what the lanes say.
func progressOf(runners []*laneWorker) lane.Progress {
	p := lane.Progress{Lanes: len(runners)}
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
