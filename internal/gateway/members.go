package gateway

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

// mostLeave is how long a request may be that says that a client leaves: it names the client and a
// group, of 255 characters at most.
const mostLeave = 16 << 10

// mostBeat is how long a heartbeat may be that is kept: a client of 1,000 groups with 10 topics
// each has one of about 2 MB.
const mostBeat = 4 << 20

// heartbeat goes to both sides: the target must know producers to ask them for the ends of
// transactions, and members before they read there.
func (s *session) heartbeat(f *wire.Frame) {
	if n := len(f.Text(wire.FieldAccessKey)); n > bodies.LongestName {
		s.refuse(f, remoting.SystemError, fmt.Sprintf("an access key of %d bytes, at most %d", n, bodies.LongestName))
		return
	}
	var says bodies.Heartbeat
	var err error
	took, ok := s.readBody(f, func() { says, err = bodies.ParseHeartbeat(f.Body) })
	if !ok {
		return
	}
	cost := bodies.CostOf(len(f.Bytes()), says)
	s.memory.Give(took - cost)
	if err != nil {
		s.memory.Give(cost)
		s.refuse(f, remoting.SystemError, "a heartbeat that isn't understood: "+err.Error())
		return
	}
	if slices.ContainsFunc(says.Reads, func(m bodies.Membership) bool { return s.gateway.sides.Ours(m.Group) }) ||
		slices.ContainsFunc(says.Writes, s.gateway.sides.Ours) {
		s.memory.Give(cost)
		s.refuse(f, remoting.NoPermission, "a member of the lanes' own group")
		return
	}
	s.comesBack(f, says)
	s.greet(f, &greeting{beat: says, cost: cost})
}

// unregister goes to both sides.
func (s *session) unregister(f *wire.Frame) {
	cost := len(f.Bytes())
	switch {
	case cost > mostLeave:
		s.gateway.admission.bounds.bodies.Add(1)
		s.refuse(f, remoting.SystemError, fmt.Sprintf("a request of %d bytes: at most %d", cost, mostLeave))
		return
	case !s.takes(f, cost):
		return
	}
	s.greet(f, &greeting{leaves: true, cost: cost})
}

func (s *session) greet(f *wire.Frame, g *greeting) {
	g.accessKey, g.raw = f.Unescaped(wire.FieldAccessKey), bytes.Clone(f.Bytes())
	s.forward(f, s.port.Dest, call{rare: &rareCall{greets: g}})
}

// mirror sends a request to a target broker too; nobody gets the answer.
func (s *session) mirror(to routing.Dest, raw []byte) {
	var f wire.Frame
	if f.Parse(raw) != nil || !s.signable(&f, to.Side, false) {
		return // a target broker couldn't tell who it is
	}
	up, err := s.forHeartbeats(to)
	if err != nil {
		if s.gateway.figures.said.heartbeats.Due(to) {
			s.gateway.log.Warn("heartbeats don't reach a broker", "side", to.Side.String(), "broker", to.Broker,
				"client", s.conn.RemoteAddr().String(), "cause", err)
		}
		s.gateway.registry.mirrors.lost(s, to)
		return
	}
	f.SetOpaque(s.enter(call{code: f.Code, up: up, side: to.Side, pushed: true}))
	up.write(&f)
}

// mirrors knows which session of a client brings its heartbeats to which target broker. A client
// has a session for each source broker; if all of them brought theirs to one target broker, that
// one would list the client more than once, and members that ask it would share the queues out
// wrongly.
type mirrors struct {
	mu     sync.Mutex
	claims map[claim]*session
}

type claim struct{ identity, broker string }

// beat mirrors a heartbeat to the target brokers that no other session of the client serves.
func (m *mirrors) beat(s *session, identity string, raw []byte) {
	if identity == "" || raw == nil {
		return
	}
	for _, broker := range s.gateway.sides.Greeted() {
		m.mu.Lock()
		of := claim{identity, broker}
		holder := m.claims[of]
		if holder == nil {
			m.claims[of], holder = s, s
		}
		m.mu.Unlock()
		if holder == s {
			s.mirror(routing.Dest{Side: routing.Target, Broker: broker}, raw)
		}
	}
}

// of are the target brokers that a session serves.
func (m *mirrors) of(s *session) (all []routing.Dest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, holder := range m.claims {
		if holder == s {
			all = append(all, routing.Dest{Side: routing.Target, Broker: c.broker})
		}
	}
	return all
}

// lost gives up a claim: the next heartbeat of any session of the client takes it.
func (m *mirrors) lost(s *session, to routing.Dest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, holder := range m.claims {
		if holder == s && to == (routing.Dest{Side: routing.Target, Broker: c.broker}) {
			delete(m.claims, c)
		}
	}
}

// takeOverAfter is how long a client may have to end its other connections too. A broker that gets
// a heartbeat just before the connection ends may register the client after it has struck it off,
// and keep it for two minutes: members would leave queues to it.
const takeOverAfter = 2 * time.Second

// free gives up all claims of a session, and reports whether it had any.
func (m *mirrors) free(s *session) (any bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, holder := range m.claims {
		if holder == s {
			delete(m.claims, c)
			any = true
		}
	}
	return any
}

// pass passes the claims of a session to another one of the same client.
func (m *mirrors) pass(from, to *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, holder := range m.claims {
		if holder == from {
			m.claims[c] = to
		}
	}
}

// claim gives a session claims that the client had in another process.
func (m *mirrors) claim(s *session, brokers []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, broker := range brokers {
		if of := (claim{s.identity, broker}); s.identity != "" && m.claims[of] == nil {
			m.claims[of] = s
		}
	}
}

// leave gives up the claims of a session that ended. If the client lives on, another session of it
// takes them over.
func (m *mirrors) leave(s *session) {
	if !m.free(s) {
		return
	}
	s.inBackground(func() {
		if sleep.For(s.gateway.ctx, takeOverAfter) == nil {
			m.takeOver(s)
		}
	})
}

func (m *mirrors) takeOver(from *session) {
	for _, other := range from.gateway.registry.all() {
		other.mu.Lock()
		same, beat := other.identity == from.identity && !other.closed, other.beat
		other.mu.Unlock()
		if same && beat != nil {
			m.beat(other, from.identity, beat)
			return
		}
	}
}

// connected are the clients behind the gateway; of those with a problem, with what they share in,
// as far as it is told.
func (sr *sessionRegistry) connected() map[control.ClientKey]control.Connected {
	all := map[control.ClientKey]control.Connected{}
	for _, s := range sr.all() {
		s.mu.Lock()
		if one := s.connected(); s.client != "" {
			all[one.Key()] = all[one.Key()].And(one)
		}
		s.mu.Unlock()
	}
	for _, one := range sr.unfits() {
		all[one.Key()] = all[one.Key()].And(one.told())
	}
	return all
}

// connected is what there is to say of the session's client. Callers hold s.mu.
func (s *session) connected() control.Connected {
	return control.Connected{
		ID: s.client, Address: s.conn.RemoteAddr().String(), AccessKey: s.accessKey,
		Problem: s.problem(),
	}
}
