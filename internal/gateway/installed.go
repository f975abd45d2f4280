package gateway

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"rocketshift/internal/gateway/routing"
)

// install makes the session of a client here that was the predecessor's. It isn't read before
// start.
func (g *Gateway) install(is passedSession, conns []net.Conn) (*installed, error) {
	p := g.clients.ports.of(is.Broker)
	if p == nil {
		return nil, errors.New("the source has no broker " + is.Broker)
	}
	in := &installed{is: is}
	if is.Absent || len(conns) == 0 {
		s, err := g.clients.expect(registration{is.Broker, is.Address, is.Beat})
		if err != nil {
			return nil, err
		}
		in.session = s
	} else {
		conns[0] = g.clients.keepable(conns[0])
		guest := g.clients.enter(conns[0])
		if is.Frames > 0 {
			g.clients.dismiss(guest.Speaks())
		}
		in.session = g.clients.open(p, conns[0], guest)
		in.session.frames.Store(is.Frames)
		in.session.vip.Store(is.VIP)
		if err := in.session.remember(is.Beat); err != nil {
			in.drop()
			return nil, err
		}
		conns = conns[1:]
	}
	s := in.session
	s.lastPush = is.LastPush
	for i, one := range is.Servers {
		on, known := routing.SideOf(one.Side)
		if !known || i >= len(conns) {
			in.drop()
			return nil, fmt.Errorf("a connection to a server of the %s", one.Side)
		}
		to := routing.Dest{Side: on, Broker: one.Broker}
		up := &upstream{session: s, dest: to}
		up.conn = conns[i]
		if one.Heartbeats {
			if s.heartbeats == nil {
				s.heartbeats = map[routing.Dest]*upstream{}
			}
			s.heartbeats[to] = up
		} else {
			s.ups[to] = up
		}
		in.ups = append(in.ups, up)
	}
	g.clients.registry.mirrors.claim(s, is.Claims)
	return in, nil
}

// installed is a session that was the predecessor's.
type installed struct {
	session *session
	is      passedSession
	ups     []*upstream
}

// drop forgets a session that nothing was read of. Its connections are the caller's to close.
func (in *installed) drop() {
	s := in.session
	s.gateway.registry.returning.takeOut(s)
	s.gateway.registry.close(s)
	s.memory.Leave()
	if s.limited != nil {
		s.limited.Leave()
	}
}

// start begins to read its connections, and registers its client where the connection by which it
// was registered didn't pass.
func (in *installed) start() {
	s := in.session
	s.mu.Lock()
	for i, up := range in.ups {
		s.memory.Join()
		up.begin(up.conn, in.is.Servers[i].Rest)
	}
	lost := make([]routing.Dest, 0, 1+len(in.is.Claims))
	for _, broker := range in.is.Claims {
		lost = append(lost, routing.Dest{Side: routing.Target, Broker: broker})
	}
	lost = slices.DeleteFunc(append(lost, s.port.Dest),
		func(to routing.Dest) bool { return s.ups[to] != nil || s.heartbeats[to] != nil })
	beat := s.beat
	s.mu.Unlock()
	if beat != nil {
		for _, to := range lost {
			s.inBackground(func() { s.mirror(to, beat) })
		}
	}
	if !s.absent {
		s.gateway.running.Go(func() { s.serve(in.is.Rest) })
	}
}
