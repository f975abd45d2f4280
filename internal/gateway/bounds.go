package gateway

import (
	"errors"
	"sync/atomic"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
)

// admission is what clients' connections and requests have room for.
type admission struct {
	entry   connections.Entry
	limiter connections.Limiter
	budget  *memory.Budget
	bounds  bounds
	reading bodyTurns
}

// What clients may take, of one kind after the other: fields and headers (package wire), frames,
// open calls, heartbeats and waiting requests of a session (here), connections (Limiter),
// views (viewQuota), queues (topics), and all of that together: Config.Memory, of which package
// memory gives out what is free.

const (

	// forFixed is which part of the memory is for what nobody can wait for, in percent each:
	// connections, views and queues. What they leave is for frames, calls and heartbeats: at least
	// a fourth.
	forConnections = 38
	forViews       = 12
	forQueues      = 12
	// forProgram is which part is for the program itself and for garbage, in percent.
	forProgram = 13
)

// part is a part of the memory, in bytes.
func (c Config) part(percent int64) int64 { return c.Memory / 100 * percent }

// bounds counts how often clients have come up against each of them.
type bounds struct {
	frames   atomic.Int64 // that were too long for where they came to
	calls    atomic.Int64 // connections with too many open
	bodies   atomic.Int64 // of heartbeats and of requests for locks, that are too long or hold too much
	parked   atomic.Int64 // requests that could not wait while something moved
	views    atomic.Int64 // requests for which there was no room for a view
	topics   atomic.Int64 // that have too many queues
	crowded  atomic.Int64 // connections closed for others
	saidHeld logs.Rarely
	saidFull logs.Rarely
}

// Bounds says how the gateway stands to its bounds.
func (g *Gateway) Bounds() control.Bounds {
	b := &g.clients.admission.bounds
	at := control.Bounds{Standing: g.clients.admission.budget.Standing()}
	at.Reached = map[string]int64{
		"memory": at.Waited, "evicted": at.Evicted, "refused": at.Refused, "frames": b.frames.Load(),
		"calls": b.calls.Load(), "bodies": b.bodies.Load(), "parked": b.parked.Load(), "views": b.views.Load(),
		"topics": b.topics.Load(), "connections": b.crowded.Load(),
	}
	for _, t := range g.table.Topics.All() {
		if n := t.Vast.Load(); n > 0 && len(at.Topics) < mostVast {
			if at.Topics == nil {
				at.Topics = map[string]int64{}
			}
			at.Topics[t.Name] = n
		}
	}
	return at
}

// mostVast is how many topics are named: a person who mends one of them will look again.
const mostVast = 100

// bind gives everything its part of the memory.
func (ss *sessions) bind() {
	c := ss.config
	ss.admission.budget = memory.New(c.Memory - c.part(forProgram))
	ss.admission.limiter.Budget = ss.admission.budget
	ss.table.Groups.Room.Budget, ss.table.Topics.Budget = ss.admission.budget, ss.admission.budget
	most := int(c.part(forConnections) / connections.PerDescriptor)
	if n := connections.Descriptors() * (100 - connections.KeptBack) / 100; n > 0 {
		most = min(most, n)
	}
	ss.admission.limiter.Limit(most)
	ss.table.Groups.Room.Most = min(routing.MostViews, c.part(forViews)/routing.PerView)
	ss.table.Topics.Most = min(routing.MostQueues, c.part(forQueues)/routing.PerQueue)
}

// evicted closes the session's connection, as it holds memory that others wait for.
func (s *session) evicted(held int64) {
	_ = connections.Bare(s.conn).Close() // TLS would say a last word first, and wait for who writes
	if s.gateway.admission.bounds.saidHeld.Due() {
		s.gateway.log.Warn("a client's connection was closed: it held memory for too long while others waited for some",
			"client", s.conn.RemoteAddr().String(), "bytes", held)
	}
}

// noRoom takes note of why a connection got no memory.
func (ss *sessions) noRoom(client string, err error) {
	if (errors.Is(err, memory.ErrNoRoom) || errors.Is(err, memory.ErrTooMuch)) && ss.admission.bounds.saidFull.Due() {
		ss.log.Error("a client was refused", "client", client, "cause", err, "held", ss.admission.budget.Standing().Held)
	}
}

// longestForNames is how long a request to a name server may be: stock clients' have some hundred
// bytes.
const longestForNames = 64 << 10

// longestGrowth is by how much a frame may grow on its way to a server: by a header that is written
// anew, a number, a signature and names. A server closes the connection over which a frame comes
// that is too long for it, and answers nothing more of what came before.
const longestGrowth = 2 * wire.MaxHeader

// longestFrame is how long a frame may be that comes to a port.
func (p *port) longestFrame() int {
	if p.names {
		return longestForNames
	}
	return wire.MaxFrame - longestGrowth
}

const (
	// freeCalls is how many calls a connection may have open without asking for memory: those of a
	// consumer of 32 queues.
	freeCalls = 32
	// perCall is what one takes in the table, in bytes, with the room that the table has for others
	// (BenchmarkCalls).
	perCall = 256
)

// looksCrowded takes note when there is no memory for more calls. Callers hold s.mu.
func (s *session) looksCrowded() {
	if len(s.open)+len(s.debts.all) >= s.mayOpen {
		s.crowded.Store(true)
	}
}

// roomForCalls waits for memory for more open calls: as many again. The client's requests wait
// meanwhile.
func (s *session) roomForCalls() error {
	s.mu.Lock()
	more := s.mayOpen
	if len(s.open)+len(s.debts.all) < more {
		more = 0
	}
	s.mu.Unlock()
	if more > 0 {
		s.flush()
	}
	if err := s.memory.Take(more * perCall); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mayOpen += more
	s.crowded.Store(false)
	s.looksCrowded()
	return nil
}

// lessForCalls gives memory back when few calls are open. Maps don't shrink: the table is made
// anew.
func (s *session) lessForCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	may := s.mayOpen
	for n := len(s.open) + len(s.debts.all); may > freeCalls && n <= may/8; {
		may /= 2
	}
	if may == s.mayOpen {
		return
	}
	open := make(map[int32]call, len(s.open))
	for opaque, c := range s.open {
		open[opaque] = c
	}
	s.memory.Give((s.mayOpen - may) * perCall)
	s.open, s.mayOpen = open, may
}
