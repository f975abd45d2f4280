package gateway

import (
	"bytes"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
)

// signature is that of a request; nil without one.
func signature(raw []byte) []byte {
	var f wire.Frame
	if f.Parse(raw) != nil {
		return nil
	}
	return f.Get(wire.FieldSignature)
}

// comesBack gives a client that was expected the registration that was kept for it. Who signs with
// a key that the gateway can't verify, as it has no secret of it or no file of keys, must have
// signed the same as before, which a broker has taken then.
func (s *session) comesBack(f *wire.Frame, says bodies.Heartbeat) {
	accessKey := f.Unescaped(wire.FieldAccessKey)
	_, known := s.gateway.keys.Of([]byte(accessKey))
	proved := known || accessKey == ""
	was := s.gateway.registry.returning.take(says.Client, func(was *session) bool {
		return was.port == s.port && was.accessKey == accessKey && says.Shares(was.reads, was.writes) &&
			(proved || bytes.Equal(signature(was.beat), f.Get(wire.FieldSignature)))
	})
	if was != nil {
		s.succeeds(was)
	}
}

// succeeds gives a session what another one without a connection has kept for its client.
func (s *session) succeeds(was *session) {
	was.mu.Lock()
	was.closed = true
	ups := was.ups
	was.ups = map[routing.Dest]*upstream{}
	was.mu.Unlock()
	for to, up := range ups {
		up.passTo(s, to)
	}
	s.mu.Lock()
	s.registeredAs = was.registeredAs
	missed := was.missed
	s.noteBeat()
	s.mu.Unlock()
	s.gateway.registry.mirrors.pass(was, s)
	s.gateway.registry.close(was)
	was.memory.Leave()
	for _, push := range missed {
		_ = s.out.Bytes(push)
	}
}

// passTo passes a connection to a session that has come for it.
func (u *upstream) passTo(s *session, to routing.Dest) {
	u.dialling.Lock()
	defer u.dialling.Unlock()
	if u.conn == nil {
		return
	}
	rest, whole := u.stopping.Stop(s.gateway.ctx, u.conn)
	u.passes()
	if !whole {
		return
	}
	up := &upstream{session: s, dest: to}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.memory.Join() {
		_ = u.conn.Close()
		return
	}
	if s.heartbeats == nil {
		s.heartbeats = map[routing.Dest]*upstream{}
	}
	s.heartbeats[to] = up
	up.begin(u.conn, rest)
}
