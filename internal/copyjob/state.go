package copyjob

import (
	"cmp"
	"fmt"
	"time"

	"rocketshift/internal/printable"
	"rocketshift/replicator/lane"
)

// State is what a copy shows about once a second.
type State struct {
	Doing     string       `json:"doing"` // copying or comparing
	Lanes     int          `json:"lanes"`
	CaughtUp  int          `json:"caughtUp"`           // lanes without lag
	Copied    int64        `json:"copied"`             // messages copied by this run
	Total     int64        `json:"total,omitempty"`    // messages to copy or to compare; absent if it follows
	Compared  int64        `json:"compared,omitempty"` // copies compared with their originals
	Lag       int64        `json:"lag"`                // messages on the source that aren't copied yet
	PerSecond int64        `json:"perSecond"`          // over the last seconds
	ETA       *int64       `json:"etaSeconds,omitempty"`
	Waiting   string       `json:"waiting,omitempty"` // what lanes wait for, or what holds them back
	Faults    []shownFault `json:"faults,omitempty"`
	Back      *Back        `json:"back,omitempty"` // the lanes back to the source
}

// Back is how far the lanes back to the source are.
type Back struct {
	Copied   int64 `json:"copied"`
	Lag      int64 `json:"lag"`
	Compared int64 `json:"compared,omitempty"`
}

// What a copy does.
const (
	DoingCopy    = "copying"
	doingCompare = "comparing"
)

// shownFault is a fault with its sentence for people.
type shownFault struct {
	lane.Fault
	Text string `json:"text"`
}

// FaultsIn are the faults of lanes in both directions, with their texts.
func FaultsIn(p lane.Progress) []shownFault {
	var all []shownFault
	for _, f := range p.Faults {
		all = append(all, shownFault{f, f.Error()})
	}
	if p.Back != nil {
		for _, f := range FaultsIn(*p.Back) {
			f.Text = "back to the source: " + f.Text
			all = append(all, f)
		}
	}
	return all
}

// Meter makes states of progress, with a rate over the last seconds.
type Meter struct {
	Now     func() time.Time
	Total   int64 // 0 if there is no end
	samples []sample
}

type sample struct {
	at   time.Time
	done int64
}

// rateSamples is over how many looks, about one a second, a rate is measured: enough to be steady,
// and few enough to be up to date.
const rateSamples = 10

// rate adds what is done so far, and returns the rate per second.
func (m *Meter) rate(done int64) int64 {
	m.samples = append(m.samples, sample{m.Now(), done})
	if len(m.samples) > rateSamples {
		m.samples = m.samples[1:]
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	if took := last.at.Sub(first.at).Seconds(); took > 0 {
		return int64(float64(last.done-first.done) / took)
	}
	return 0
}

// eta is how many seconds the rest takes; nil if that is unknown.
func eta(rest, perSecond int64) *int64 {
	if perSecond <= 0 || rest < 0 {
		return nil
	}
	seconds := (rest + perSecond - 1) / perSecond
	return &seconds
}

// State is what a copy shows at this progress. Each call counts as a look for the rate.
func (m *Meter) State(p lane.Progress) State {
	s := State{
		Doing: DoingCopy, Lanes: p.Lanes, CaughtUp: p.CaughtUp, Copied: p.Copied, Total: m.Total, Lag: p.Lag,
		PerSecond: m.rate(p.Copied), Waiting: cmp.Or(p.Waiting, p.Slowed), Faults: FaultsIn(p),
	}
	rest := p.Lag
	if m.Total > 0 && !caughtUp(p) {
		rest = max(0, m.Total-p.Copied)
	}
	s.ETA = eta(rest, s.PerSecond)
	if p.Back != nil {
		s.Back = &Back{Copied: p.Back.Copied, Lag: p.Back.Lag}
		if back := cmp.Or(p.Back.Waiting, p.Back.Slowed); s.Waiting == "" && back != "" {
			s.Waiting = "back to the source: " + back
		}
	}
	return s
}

// comparing is the state while so many copies were compared.
func (m *Meter) comparing(before State, compared int64) State {
	before.Doing, before.Compared, before.Total, before.Waiting = doingCompare, compared, m.Total, ""
	before.PerSecond = m.rate(compared)
	before.ETA = eta(max(0, m.Total-compared), before.PerSecond)
	return before
}

// Done is how much of the total the bar shows.
func (s State) Done() (done, total int64) {
	switch {
	case s.Doing == doingCompare:
		return min(s.Compared, s.Total), s.Total
	case s.Total > 0 && s.CaughtUp == s.Lanes: // copies whose answer was lost aren't counted as copied
		return s.Total, s.Total
	case s.Total > 0:
		return min(s.Copied, s.Total), s.Total
	}
	return s.Copied, s.Copied + s.Lag
}

// String is the state in one line.
func (s State) String() string {
	count, what := s.Copied, "copied"
	if s.Doing == doingCompare {
		count, what = s.Compared, "compared"
	}
	line := printable.Grouped(count)
	if s.Total > 0 && count <= s.Total {
		line += " of " + printable.Grouped(s.Total)
	}
	line += fmt.Sprintf(" messages %s, %s/s", what, printable.Grouped(s.PerSecond))
	if s.Doing == DoingCopy {
		line += fmt.Sprintf(", %s behind, %d of %d lanes caught up", printable.Grouped(s.Lag), s.CaughtUp, s.Lanes)
	}
	if s.ETA != nil && *s.ETA > 0 {
		line += ", about " + (time.Duration(*s.ETA) * time.Second).String() + " left"
	}
	if s.Back != nil && s.Doing == DoingCopy {
		line += fmt.Sprintf("; back: %s copied, %s behind", printable.Grouped(s.Back.Copied),
			printable.Grouped(s.Back.Lag))
	}
	return line
}
