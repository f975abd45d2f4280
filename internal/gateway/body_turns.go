package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// longBody is from which length on a body counts as long: stock clients' heartbeats have some
// kilobytes.
const longBody = 64 << 10

// shareForBodies is which part of one processor reading long bodies may take: one in so many. The
// worst body of 4 MiB takes a processor for 50 ms (BenchmarkOneReading), and other clients wait for
// it.
const shareForBodies = 5

// errNoTurn is why a long body isn't read.
var errNoTurn = errors.New("others bring so many long bodies that it isn't its turn in time: " +
	"try again")

// bodyTurns lets one long body be read at a time, and leaves the processors to others between two.
// Addresses take turns: who brings many has no more of them.
type bodyTurns struct {
	mu    sync.Mutex
	busy  bool       // one is read, or the time behind it is others'
	lines []bodyLine // of addresses that wait, in the order of their turns
}

// bodyLine are those of one address that wait.
type bodyLine struct {
	of  netip.Prefix
	all []chan struct{}
}

// begin waits for the turn of an address. Errors: errNoTurn, ErrEvicted where gone is closed
// before, and ErrClosed where the context ends: then the turn isn't the caller's.
func (t *bodyTurns) begin(
	ctx context.Context, of netip.Prefix, gone <-chan struct{},
) (err error) {
	mine := t.ask(of)
	if mine == nil {
		return nil
	}
	late := time.NewTimer(memory.Patience)
	defer late.Stop()
	select {
	case <-mine:
		return nil
	case <-gone:
		err = memory.ErrEvicted
	case <-ctx.Done():
		err = memory.ErrClosed
	case <-late.C:
		err = errNoTurn
	}
	if !t.withdraw(of, mine) { // it has just come
		t.next()
	}
	return err
}

// ask stands in line; nil if it is the caller's turn at once.
func (t *bodyTurns) ask(of netip.Prefix) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.busy {
		t.busy = true
		return nil
	}
	mine := make(chan struct{})
	if i := t.line(of); i >= 0 {
		t.lines[i].all = append(t.lines[i].all, mine)
	} else {
		t.lines = append(t.lines, bodyLine{of, []chan struct{}{mine}})
	}
	return mine
}

// end ends a turn that took so long. The next one begins when others have had their time.
func (t *bodyTurns) end(took time.Duration) {
	time.AfterFunc((shareForBodies-1)*took, t.next)
}

// next lets the next address have its turn.
func (t *bodyTurns) next() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy = len(t.lines) > 0; !t.busy {
		return
	}
	first := t.lines[0]
	t.lines = slices.Delete(t.lines, 0, 1)
	if len(first.all) > 1 {
		t.lines = append(t.lines, bodyLine{first.of, first.all[1:]})
	}
	close(first.all[0])
}

// withdraw takes one out of its line; false if it isn't there any more.
func (t *bodyTurns) withdraw(of netip.Prefix, mine chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.line(of)
	if i < 0 {
		return false
	}
	at := slices.Index(t.lines[i].all, mine)
	if at < 0 {
		return false
	}
	if t.lines[i].all = slices.Delete(t.lines[i].all, at, at+1); len(t.lines[i].all) == 0 {
		t.lines = slices.Delete(t.lines, i, i+1)
	}
	return true
}

// line is which line is an address's; -1 if it has none. Callers hold t.mu.
func (t *bodyTurns) line(of netip.Prefix) int {
	return slices.IndexFunc(t.lines, func(l bodyLine) bool { return l.of == of })
}

// readBody reads a request's body, or refuses the request. What it takes for that is to be given
// back. Memory for a long one is taken when it is its turn: those that wait hold their frames
// alone.
func (s *session) readBody(f *wire.Frame, how func()) (took int, ok bool) {
	size, holds := len(f.Bytes()), bodies.Elements(f.Body)
	if size > mostBeat || holds > bodies.MostElements {
		s.gateway.admission.bounds.bodies.Add(1)
		s.refuse(f, remoting.SystemError, fmt.Sprintf("a request of %d bytes that holds %d elements: at most "+
			"%d bytes and %d elements are read", size, holds, mostBeat, bodies.MostElements))
		return 0, false
	}
	if len(f.Body) > longBody {
		s.flush()
		of := memory.PrefixOf(connections.AddressOf(s.conn))
		if err := s.gateway.admission.reading.begin(s.gateway.ctx, of, s.memory.Gone()); err != nil {
			s.refuse(f, remoting.ServiceNotAvailable, err.Error())
			return 0, false
		}
		defer func(begun time.Time) { s.gateway.admission.reading.end(time.Since(begun)) }(time.Now())
	}
	if took = bodies.CostToRead(size, holds); !s.takes(f, took) {
		return 0, false
	}
	how()
	return took, true
}
