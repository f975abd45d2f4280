package gateway

import (
	"errors"
	"fmt"
	"net"
)

// install makes the session of a client here that was the predecessor's. It isn't read before start.
func (g *Gateway) install(is passedSession, conns []net.Conn) (*installed, error) {
	p := g.ports.of(is.Broker)
	if p == nil {
		return nil, errors.New("the source has no broker " + is.Broker)
	}
	in := &installed{is: is}
	if is.Absent || len(conns) == 0 {
		s, err := g.expect(registration{is.Broker, is.Address, is.Beat})
		if err != nil {
			return nil, err
		}
		in.session = s
	} else {
		guest := g.enter(conns[0])
		if is.Frames > 0 {
			guest.speaks()
		}
		in.session = g.open(p, conns[0], guest)
		in.session.frames.Store(is.Frames)
		if err := in.session.remember(is.Beat); err != nil {
			return nil, err
		}
		conns = conns[1:]
	}
	s := in.session
	s.lastPush, s.lastOwn = is.LastPush, is.LastOwn
	for i, one := range is.Servers {
		on, known := sideOf(one.Side)
		if !known || i >= len(conns) {
			return nil, fmt.Errorf("a connection to a server of the %s", one.Side)
		}
		to := dest{on, one.Broker}
		up := &upstream{session: s, dest: to}
		up.conn = conns[i]
		if one.Heartbeats {
			if s.heartbeats == nil {
				s.heartbeats = map[dest]*upstream{}
			}
			s.heartbeats[to] = up
		} else {
			s.ups[to] = up
		}
		in.ups = append(in.ups, up)
	}
	g.mirrors.claim(s, is.Claims)
	return in, nil
}

// installed is a session that was the predecessor's.
type installed struct {
	session *session
	is      passedSession
	ups     []*upstream
}

// start begins to read its connections, and registers its client where the connection by which it was registered didn't pass.
func (in *installed) start() {
	s := in.session
	s.mu.Lock()
	for i, up := range in.ups {
		s.memory.Join()
		up.begin(up.conn, in.is.Servers[i].Rest)
	}
	registered := map[dest]bool{}
	for to := range s.ups {
		registered[to] = true
	}
	for to := range s.heartbeats {
		registered[to] = true
	}
	beat := s.beat
	s.mu.Unlock()
	if beat != nil {
		for _, broker := range in.is.Claims {
			if to := (dest{target, broker}); !registered[to] {
				s.inBackground(func() { s.mirror(to, beat) })
			}
		}
		if !registered[s.port.dest] {
			s.inBackground(func() { s.mirror(s.port.dest, beat) })
		}
	}
	if !s.absent {
		s.running.Go(func() { s.serve(in.is.Rest) })
	}
}
