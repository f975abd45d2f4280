package replicator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
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
