package gateway

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/lab/labtest"
)

// control is a producer straight to the source, to which the machine does what it does to all
// others.
func (r *rig) control() *load {
	r.Helper()
	if r.seen.control == nil {
		topic := r.nameOf("control")
		for _, b := range r.brokers(r.source) {
			r.make(r.source, b, topic, 1)
		}
		r.seen.control = r.at(r.source.NameServers()[0]).produce(topic, "control", 1, 50*time.Millisecond)
	}
	return r.seen.control
}

// sentWell judges what became of the attempts of loads that a group reads as a whole. None may fail
// but by client-go's time-out of three seconds, which a busy machine exceeds. Of these,
//   - each must have been stored, as its client had written it to its connection; unless a move
//     lasted for so long that the gateway gave it back;
//   - there may be as many as the control has, and a few more: stalls that hit the target, or fall
//     between two sends of the control. A gateway that loses answers in moves does so in most of
//     them. Attempts that are late at the same time count once.
func (r *rig) sentWell(read *readers, loads ...*load) {
	r.Helper()
	for _, l := range loads {
		l.fine()
		l.mu.Lock()
		late := l.late
		l.mu.Unlock()
		if len(late) == 0 {
			continue
		}
		r.await("late attempts to send are stored all the same", func() (missing string) {
			for _, a := range late {
				if !read.has(a) && !r.seen.slowMove(a) {
					missing += fmt.Sprint(a.message, ", attempt ", a.number, "; ")
				}
			}
			return missing
		})
		moves, control := r.seen.moves(), 0
		if r.seen.control != nil {
			control = r.seen.control.stalls()
		}
		r.Logf("%s; stalls: %d, control %d; %d moves", l, l.stalls(), control, moves)
		assert.LessOrEqual(r, l.stalls(), control+1+moves/4,
			"times at which client-go got no answer for three seconds: %s", l)
	}
}

// fine wants no attempt to have failed unexpectedly.
func (l *load) fine() {
	l.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	assert.Empty(l, l.faults[:min(3, len(l.faults))], "%d attempts of %s failed; the first of them",
		len(l.faults), l.name)
}

// stalls is how many times something was late, at the same time for all keys.
func (l *load) stalls() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var over time.Time
	for _, a := range l.late { // by their ends
		if a.begin.After(over) {
			n++
		}
		over = a.end
	}
	return n
}

// seen is what a rig's parts have noted.
type seen struct {
	control *load
	// what gateways that are processes log, by their names: those that are killed go on with it
	says map[string]io.Writer

	mu    sync.Mutex
	moved []attempt // moves that were tried, without messages
}

// output is where a gateway's log goes.
func (s *seen) output(t *testing.T, gateway string) io.Writer {
	if s.says == nil {
		s.says = map[string]io.Writer{}
	}
	if s.says[gateway] == nil {
		s.says[gateway] = labtest.Output(t, gateway)
	}
	return s.says[gateway]
}

// move notes one that was tried.
func (s *seen) move(begin time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = append(s.moved, attempt{begin: begin, end: time.Now()})
}

func (s *seen) moves() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.moved)
}

// slowMove reports whether an attempt fell into a move for which the gateway may have held it too
// long.
func (s *seen) slowMove(a attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.moved {
		if m.end.Sub(m.begin) > routing.TooLate && a.begin.Before(m.end) && a.end.After(m.begin) {
			return true
		}
	}
	return false
}
