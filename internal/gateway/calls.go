package gateway

import (
	"strings"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
)

// call is a request that isn't answered yet. The table has it by the number under which its server
// knows it (opaques). Whoever takes it out of the table answers it: that happens once. A larger one
// than 128 bytes would cost an allocation each.
type call struct {
	code    int
	since   time.Time
	up      *upstream
	queue   *routing.Queue // of sends, and of whatever else is about one
	view    *routing.View  // of pulls and positions
	asked   uint64         // of pulls: which one of the view it is
	offset  int64          // of pulls: as the client sees it
	commit  int64          // the position that it commits, as the client sees it; with commits
	rare    *rareCall      // what most calls have nothing of
	opaque  int32          // the client's number of it, which the answer carries; of those that are pushed, none
	size    int32          // of sends: of the body, in bytes
	side    routing.Side
	commits bool
	oneWay  bool // the client wants no answer
	binary  bool // the format to answer in
	pushed  bool // it was made here, such as the mirror of a request: the client gets no answer

	transaction bool  // of sends: the first half of one
	level       uint8 // of sends: of their delay; 0 without one
	timer       int32 // of sends: for how many seconds a timer holds them back; 0 without one
	member      bool  // of pulls: what it asks for counts without an answer (view.asks)
}

// rareCall is more of a call.
type rareCall struct {
	greets  *greeting            // a heartbeat, or that the client leaves: it counts when a broker has taken it
	answers chan<- brokersAnswer // who waits for the answer here; the client gets nothing
	wants   *routing.Wanted      // the view that is made when a broker has taken it
	reply   *reply               // an answer of the client to another one's request
}

// callOf is a request as a call.
func callOf(f *wire.Frame) call {
	return call{code: f.Code, opaque: f.Opaque, oneWay: f.OneWay(), binary: f.Binary}
}

// enter puts a call into the table, and returns the number under which it goes to its server.
func (s *session) enter(c call) (opaque int32) {
	c.since = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(c)
}

// mostOpen is how many calls a connection may have open: stock clients have thousands where they
// send without waiting.
const mostOpen = 100_000

// put is enter. Callers hold s.mu.
func (s *session) put(c call) (opaque int32) {
	opaque = s.gateway.opaques.next()
	for _, taken := s.open[opaque]; taken; _, taken = s.open[opaque] {
		opaque = s.gateway.opaques.next()
	}
	s.open[opaque] = c
	s.looksCrowded()
	if len(s.open) > mostOpen { // it asks without listening; what is open is lost with the connection
		s.gateway.admission.bounds.calls.Add(1)
		if s.gateway.figures.said.calls.Due() {
			s.gateway.log.Warn("a client has too many calls open; its connection was closed", "client",
				s.conn.RemoteAddr().String(), "calls", len(s.open))
		}
		_ = s.conn.Close()
	}
	return opaque
}

// peek looks at the call that an upstream's answer belongs to.
func (s *session) peek(opaque int32, up *upstream) (call, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.open[opaque]
	return c, ok && c.up == up
}

// take takes the call that an upstream's answer belongs to out of the table.
func (s *session) take(opaque int32, up *upstream) (call, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.open[opaque]
	if !ok || c.up != up {
		return call{}, false
	}
	delete(s.open, opaque)
	return c, true
}

// takeAll takes the calls out of the table that fulfil a condition.
func (s *session) takeAll(which func(call) bool) (all []call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeOpen(which)
}

// lose takes calls out of the table that servers will answer no more. A send is a loss before it is
// out of the table: who looks for sends finds it here or there.
func (s *session) lose(which func(call) bool) (all []call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeOpen(func(c call) bool {
		lost := which(c)
		if lost {
			s.gateway.unanswered(c)
		}
		return lost
	})
}

func (s *session) takeOpen(which func(call) bool) (all []call) {
	for opaque, c := range s.open {
		if which(c) {
			delete(s.open, opaque)
			s.forgotten(c)
			all = append(all, c)
		}
	}
	return all
}

// any reports whether an open call fulfils a condition.
func (s *session) any(which func(call) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		if which(c) {
			return true
		}
	}
	return false
}

// sendsTo counts the sends to queues that are without an answer.
func (s *session) sendsTo(which map[*routing.Queue]bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		if c.queue != nil && sends(c.code) && which[c.queue] {
			n++
		}
	}
	return n
}

// reply answers a request itself.
func (s *session) reply(opaque int32, binary bool, r wire.Reply) {
	_ = s.out.Bytes(wire.AppendReply(nil, opaque, binary, r), opaque)
}

// longestRemark bounds what an answer says, in bytes: its cause may quote what the client sent.
const longestRemark = 1000

// refuse answers a request with an error, unless its client wants no answer.
func (s *session) refuse(f *wire.Frame, code int, remark string) {
	remark = strings.ToValidUTF8(remark[:min(len(remark), longestRemark)], "")
	s.refuseAs(f, code, "rocketshift gateway: "+remark)
}

// refuseAs is refuse with a broker's own words.
func (s *session) refuseAs(f *wire.Frame, code int, remark string) {
	if !f.OneWay() {
		s.reply(f.Opaque, f.Binary, wire.Reply{Code: code, Remark: remark})
	}
}
