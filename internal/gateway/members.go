package gateway

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/gateway/wire"
)

// mostBeat is how long a heartbeat may be that is kept: a client of 1,000 groups with 10 topics each has one of about 2 MB.
const mostBeat = 4 << 20

// heartbeat goes to both sides: the target must know producers to ask them for the ends of transactions, and members before they read there.
func (s *session) heartbeat(f *wire.Frame) {
	if len(f.Body) > mostBeat {
		s.refuse(f, systemError, fmt.Sprintf("a heartbeat of %d bytes: at most %d", len(f.Body), mostBeat))
		return
	}
	client := clientOf(f.Body)
	beat, reads := bytes.Clone(f.Bytes()), readsOf(f.Body)
	s.mu.Lock()
	before := s.client
	s.client, s.beat, s.accessKey, s.reads = client, beat, f.Unescaped(wire.FieldAccessKey), reads
	s.mu.Unlock()
	if before != client { // it goes by another name now
		s.mirrors.free(s)
	}
	s.pass(f)
	s.running.Go(func() { s.mirrors.beat(s, client, beat) })
}

// unregister goes to both sides.
func (s *session) unregister(f *wire.Frame) {
	beat := bytes.Clone(f.Bytes())
	s.pass(f)
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	for _, other := range s.all() { // until its next heartbeat nobody speaks for it
		other.mu.Lock()
		if other.client == client {
			other.beat = nil
		}
		other.mu.Unlock()
	}
	for _, to := range s.mirrors.of(s) {
		s.running.Go(func() { s.mirror(to, beat) })
	}
}

// clientOf is the client id in a heartbeat's body.
func clientOf(body []byte) string {
	_, rest, found := bytes.Cut(body, []byte(`"clientID":"`))
	if !found {
		return ""
	}
	client, _, _ := bytes.Cut(rest, []byte{'"'})
	return string(client)
}

// mirror sends a request to a target broker too; nobody gets the answer.
func (s *session) mirror(to dest, raw []byte) {
	var f wire.Frame
	if f.Parse(raw) != nil {
		return
	}
	up, err := s.upstream(to)
	if err != nil {
		s.log.Warn("a heartbeat doesn't reach the target", "broker", to.broker, "cause", err)
		s.mirrors.lost(s, to)
		return
	}
	s.mu.Lock()
	s.lastOwn-- // clients count upwards from zero
	own := s.lastOwn
	s.put(own, call{code: f.Code, since: time.Now(), up: up, side: to.side, pushed: true})
	s.mu.Unlock()
	f.SetOpaque(own)
	up.write(&f)
}

// mirrors knows which session of a client brings its heartbeats to which target broker. A client has a session for each source broker; if
// all of them brought theirs to one target broker, that one would list the client more than once, and members that ask it would share the
// queues out wrongly.
type mirrors struct {
	mu     sync.Mutex
	claims map[claim]*session
}

type claim struct{ client, broker string }

// beat mirrors a heartbeat to the target brokers that no other session of the client serves.
func (m *mirrors) beat(s *session, client string, raw []byte) {
	if client == "" || raw == nil {
		return
	}
	for _, broker := range s.greeted() {
		m.mu.Lock()
		of := claim{client, broker}
		holder := m.claims[of]
		if holder == nil {
			m.claims[of], holder = s, s
		}
		m.mu.Unlock()
		if holder == s {
			s.mirror(dest{target, broker}, raw)
		}
	}
}

// of are the target brokers that a session serves.
func (m *mirrors) of(s *session) (all []dest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, holder := range m.claims {
		if holder == s {
			all = append(all, dest{target, c.broker})
		}
	}
	return all
}

// lost gives up a claim: the next heartbeat of any session of the client takes it.
func (m *mirrors) lost(s *session, to dest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, holder := range m.claims {
		if holder == s && to == (dest{target, c.broker}) {
			delete(m.claims, c)
		}
	}
}

// takeOverAfter is how long a client may have to end its other connections too. A broker that gets a heartbeat just before the connection
// ends may register the client after it has struck it off, and keep it for two minutes: members would leave queues to it.
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

// leave gives up the claims of a session that ended. If the client lives on, another session of it takes them over.
func (m *mirrors) leave(s *session) {
	if !m.free(s) {
		return
	}
	s.running.Go(func() {
		if wait(s.ctx, takeOverAfter) == nil {
			m.takeOver(s)
		}
	})
}

func (m *mirrors) takeOver(from *session) {
	for _, other := range from.all() {
		other.mu.Lock()
		same, beat := other.client == from.client && !other.closed, other.beat
		other.mu.Unlock()
		if same && beat != nil {
			m.beat(other, from.client, beat)
			return
		}
	}
}
