package routing

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/gateway/wire"
)

const (
	// MostHeld is how much of sends, in bytes, a hold keeps. Clients that bring more wait on their
	// connections.
	MostHeld = 64 << 20
	// MostPulls is how much of pulls of one queue and group, in bytes, waits while the group moves:
	// thousands of members' worth.
	MostPulls = 1 << 20
	// TooLate is when stock clients have given a send up: it may be on its way a second time.
	TooLate = 3 * time.Second
	// releaseTime bounds how long a move waits for those who don't take what they sent.
	releaseTime = time.Second
)

// Hold keeps sends to queues whose home moves.
type Hold struct {
	refusing bool // they are refused instead

	mu    sync.Mutex
	ended bool
	size  int
	lines map[Waiter]*line
	over  chan struct{} // closed when it ends
	done  chan struct{} // closed when all that waited are on their way
}

// line is what one client has waiting.
type line struct {
	parked []Parked
	gone   chan struct{} // closed when all of it is on its way
}

// Parked is a request that waits.
type Parked struct {
	client Waiter
	raw    []byte
	since  time.Time
}

// Waiter is a client whose requests wait while what they are about moves.
type Waiter interface {
	// Reserve takes memory for a request that waits; false if there is none.
	Reserve(bytes int) bool
	// Crowded takes note that a request can't wait.
	Crowded()
	// Waits takes note that one more request waits: in a hold, or for a group's move.
	Waits(held bool)
	// Flush writes what came before.
	Flush()
	// Release takes requests up in their order: of a hold that has ended, or nil of a group's move.
	Release(all []Parked, past *Hold)
	// InBackground runs what nobody waits for.
	InBackground(what func())
}

// NewParked is a client's request that waits since a time.
func NewParked(of Waiter, f *wire.Frame, since time.Time) Parked {
	return Parked{of, bytes.Clone(f.Bytes()), since}
}

// perParked is what a request that waits takes besides its bytes.
const perParked = 128

func parkedCost(f *wire.Frame) int { return len(f.Bytes()) + perParked }

// Cost is what the request takes while it waits, in bytes.
func (p Parked) Cost() int { return len(p.raw) + perParked }

// Late reports whether stock clients have given the request up.
func (p Parked) Late() bool { return time.Since(p.since) > TooLate }

// Parse reads the request anew.
func (p Parked) Parse(f *wire.Frame) error { return f.Parse(p.raw) }

// NewHold makes a hold in which requests wait.
func NewHold() *Hold {
	return &Hold{lines: map[Waiter]*line{}, over: make(chan struct{}), done: make(chan struct{})}
}

// NewRefusing makes a hold in which nothing waits: sends are refused.
func NewRefusing() *Hold {
	h := NewHold()
	h.refusing = true
	return h
}

// Refuses reports whether sends are refused instead of held.
func (h *Hold) Refuses() bool { return h.refusing }

// Park keeps a request until the hold ends; false if it has ended, and what the same client has
// sent before is on its way.
func (h *Hold) Park(s Waiter, f *wire.Frame) bool {
	h.mu.Lock()
	cost := parkedCost(f)
	if !h.ended && (h.size+cost > MostHeld || !s.Reserve(cost)) {
		s.Crowded()
		h.mu.Unlock()
		s.Flush()
		<-h.over
		h.mu.Lock()
	}
	l := h.lines[s]
	if h.ended {
		h.mu.Unlock()
		if l != nil {
			s.Flush()
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
	l.parked = append(l.parked, NewParked(s, f, time.Now()))
	s.Waits(true)
	return true
}

// End lets everything go, each client's sends in their order: one that is held up by its broker, or
// by its client, holds up no other client. Then comes what is to be done when all are on their way.
func (h *Hold) End(then func()) {
	h.mu.Lock()
	h.ended = true
	lines := h.lines
	h.mu.Unlock()
	close(h.over)
	var all sync.WaitGroup
	for s, l := range lines {
		all.Go(func() {
			defer close(l.gone)
			s.Release(l.parked, h)
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

// Code is the code of the request.
func (p Parked) Code() int {
	var f wire.Frame
	_ = f.Parse(p.raw) // it was parsed before
	return f.Code
}

// GoOn lets pulls go that waited: each client's in their order, and no client holds up another one.
func GoOn(views []*View) {
	clients := map[Waiter][]Parked{}
	for _, v := range views {
		v.mu.Lock()
		v.moving = false
		for _, p := range v.parked {
			clients[p.client] = append(clients[p.client], p)
		}
		v.parked, v.waits = nil, 0
		v.mu.Unlock()
	}
	for s, all := range clients {
		slices.SortStableFunc(all, func(a, b Parked) int { return a.since.Compare(b.since) })
		s.InBackground(func() { s.Release(all, nil) })
	}
}

// park keeps a pull until the group's move ends; false if too many wait already. Callers hold v.mu.
func (v *View) park(s Waiter, f *wire.Frame) bool {
	cost := parkedCost(f)
	if v.waits+cost > MostPulls && len(v.parked) > 0 || !s.Reserve(cost) {
		s.Crowded()
		return false
	}
	v.waits += cost
	s.Waits(false)
	v.parked = append(v.parked, NewParked(s, f, time.Now()))
	return true
}
