package gateway

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

const (
	// mostHeld is how much of sends, in bytes, a hold keeps. Clients that bring more wait on their
	// connections.
	mostHeld = 64 << 20
	// mostPulls is how much of pulls of one queue and group, in bytes, waits while the group moves:
	// thousands of members' worth.
	mostPulls = 1 << 20
	// tooLate is when stock clients have given a send up: it may be on its way a second time.
	tooLate = 3 * time.Second
	// releaseTime bounds how long a move waits for those who don't take what they sent.
	releaseTime = time.Second
)

// hold keeps sends to queues whose home moves.
type hold struct {
	refuses bool // they are refused instead

	mu    sync.Mutex
	ended bool
	size  int
	lines map[*session]*line
	over  chan struct{} // closed when it ends
	done  chan struct{} // closed when all that waited are on their way
}

// line is what one client has waiting.
type line struct {
	parked []parked
	gone   chan struct{} // closed when all of it is on its way
}

// parked is a request that waits.
type parked struct {
	session *session
	raw     []byte
	since   time.Time
}

// perParked is what a request that waits takes besides its bytes.
const perParked = 128

func parkedCost(f *wire.Frame) int { return len(f.Bytes()) + perParked }

func newHold() *hold {
	return &hold{lines: map[*session]*line{}, over: make(chan struct{}), done: make(chan struct{})}
}

// park keeps a request until the hold ends; false if it has ended, and what the same client has
// sent before is on its way.
func (h *hold) park(s *session, f *wire.Frame) bool {
	h.mu.Lock()
	cost := parkedCost(f)
	if !h.ended && (h.size+cost > mostHeld || !s.memory.Try(cost)) {
		s.gateway.admission.bounds.parked.Add(1)
		h.mu.Unlock()
		s.flush()
		<-h.over
		h.mu.Lock()
	}
	l := h.lines[s]
	if h.ended {
		h.mu.Unlock()
		if l != nil {
			s.flush()
			<-l.gone
		}
		return false
	}
	defer h.mu.Unlock()
	if l == nil {
		l = &line{gone: make(chan struct{})}
		h.lines[s] = l
	}
	h.size += cost
	l.parked = append(l.parked, parked{s, bytes.Clone(f.Bytes()), time.Now()})
	s.gateway.figures.counts.HeldSends.Add(1)
	return true
}

// end lets everything go, each client's sends in their order: one that is held up by its broker, or
// by its client, holds up no other client. Then comes what is to be done when all are on their way.
func (h *hold) end(then func()) {
	h.mu.Lock()
	h.ended = true
	lines := h.lines
	h.mu.Unlock()
	close(h.over)
	var all sync.WaitGroup
	for s, l := range lines {
		all.Go(func() {
			defer close(l.gone)
			s.releaseAll(l.parked, h)
		})
	}
	go func() {
		all.Wait()
		then()
		close(h.done)
	}()
	late := time.NewTimer(releaseTime)
	defer late.Stop()
	select {
	case <-h.done:
	case <-late.C:
	}
}

// releaseAll takes requests up in their order. A fault of the gateway ends their client's
// connection, and the rest of them.
func (s *session) releaseAll(all []parked, past *hold) {
	n := 0
	defer func() {
		for _, p := range all[n:] {
			s.counted(past)
			s.memory.Give(len(p.raw) + perParked)
		}
	}()
	defer s.recovered(func() int { return all[n-1].code() })
	for _, p := range all {
		n++
		s.release(p, past)
	}
}

func (p parked) code() int {
	var f wire.Frame
	_ = f.Parse(p.raw) // it was parsed before
	return f.Code
}

// counted takes note that a request waits no more.
func (s *session) counted(past *hold) {
	if past != nil {
		s.gateway.figures.counts.HeldSends.Add(-1)
	} else {
		s.gateway.figures.counts.HeldPulls.Add(-1)
	}
}

// release takes a request up that has waited in a hold, or for a group's move.
func (s *session) release(p parked, past *hold) {
	var f wire.Frame
	defer s.memory.Give(len(p.raw) + perParked)
	s.counted(past)
	switch {
	case f.Parse(p.raw) != nil:
	case !sends(f.Code):
		s.handle(&f)
	case time.Since(p.since) > tooLate:
		s.refuse(&f, remoting.ServiceNotAvailable, "it waited too long while its queue's home moved: send it again")
	default:
		s.send(&f, past)
	}
}

// goOn lets pulls go that waited: each client's in their order, and no client holds up another one.
func goOn(views []*view) {
	waiting := map[*session][]parked{}
	for _, v := range views {
		v.mu.Lock()
		v.moving = false
		for _, p := range v.parked {
			waiting[p.session] = append(waiting[p.session], p)
		}
		v.parked, v.waits = nil, 0
		v.mu.Unlock()
	}
	for s, all := range waiting {
		slices.SortStableFunc(all, func(a, b parked) int { return a.since.Compare(b.since) })
		s.inBackground(func() { s.releaseAll(all, nil) })
	}
}

// park keeps a pull until the group's move ends; false if too many wait already. Callers hold v.mu.
func (v *view) park(s *session, f *wire.Frame) bool {
	cost := parkedCost(f)
	if v.waits+cost > mostPulls && len(v.parked) > 0 || !s.memory.Try(cost) {
		s.gateway.admission.bounds.parked.Add(1)
		return false
	}
	v.waits += cost
	s.gateway.figures.counts.HeldPulls.Add(1)
	v.parked = append(v.parked, parked{s, bytes.Clone(f.Bytes()), time.Now()})
	return true
}
