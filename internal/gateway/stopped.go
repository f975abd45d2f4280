package gateway

import (
	"context"
	"net"
	"slices"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/sleep"
)

// stoppedSession is a session with its connections, stopped.
type stoppedSession struct {
	session *session
	is      passedSession
	conns   []net.Conn // the client's, unless it is absent, then those to servers
	ups     []*upstream
	left    []*upstream // that don't pass
}

// stopAll stops all sessions, and returns what can pass. Of the others the connections are closed.
func (g *Gateway) stopAll() []*stoppedSession {
	ctx, over := context.WithTimeout(g.ctx, quietTime)
	defer over()
	g.clients.ports.pause()
	sessions := g.clients.registry.all()
	var stopping errgroup.Group
	stopping.SetLimit(passedTogether)
	all := make([]*stoppedSession, len(sessions))
	for i, s := range sessions {
		stopping.Go(func() error {
			all[i] = s.stopClient(ctx)
			return nil
		})
	}
	_ = stopping.Wait()
	all = slices.DeleteFunc(all, func(p *stoppedSession) bool { return p == nil })
	for _, p := range all {
		for p.session.busy() && sleep.For(ctx, replicas.ProofPause/4) == nil {
		}
	}
	ctx, over = context.WithTimeout(g.ctx, quietTime)
	defer over()
	for _, p := range all {
		stopping.Go(func() error {
			p.stopServers(ctx)
			return nil
		})
	}
	_ = stopping.Wait()
	return slices.DeleteFunc(all, func(p *stoppedSession) bool { return p.session.isClosed() })
}

// busy reports whether the session has something under way that the successor wouldn't know of.
// Long polls are no such thing.
func (s *session) busy() bool {
	s.mu.Lock()
	under := s.mirrored.busy || len(s.leaves) > 0 || s.debts.paying
	s.mu.Unlock()
	return under || s.any(func(c call) bool { return !isPull(c.code) })
}

func (s *session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// stopClient stops the reader of the client's connection. A session whose connection can't pass
// goes on as absent if brokers know its client, else it ends.
func (s *session) stopClient(ctx context.Context) *stoppedSession {
	p := &stoppedSession{
		session: s,
		is: passedSession{
			Broker:  s.port.Dest.Broker,
			Address: s.conn.RemoteAddr().String(),
			Absent:  s.absent,
			Frames:  s.frames.Load(),
		},
	}
	if s.absent {
		return p
	}
	rest, whole := s.stopping.Stop(ctx, s.conn)
	switch {
	case whole && connections.Passable(s.conn):
		p.is.Rest, p.conns = rest, []net.Conn{s.conn}
		return p
	case !whole:
		_ = s.conn.Close() // it ends by itself
		return nil
	}
	p.is.Absent = true
	return p
}

// stopServers answers the client's long polls, so that it asks again, and stops the readers of
// connections to servers.
func (p *stoppedSession) stopServers(ctx context.Context) {
	s := p.session
	unread := context.AfterFunc(ctx, func() { _ = s.conn.Close() }) // a client that doesn't read is as good as gone
	for _, c := range s.takeAll(func(c call) bool { return isPull(c.code) }) {
		s.pullAgain(c)
	}
	if !unread() {
		s.end()
		return
	}
	s.mu.Lock()
	p.is.Beat, p.is.LastPush, p.is.VIP = s.beat, s.lastPush, s.vip.Load()
	type one struct {
		up         *upstream
		heartbeats bool
	}
	var all []one
	for _, up := range s.ups {
		all = append(all, one{up, false})
	}
	for _, up := range s.heartbeats {
		all = append(all, one{up, true})
	}
	s.mu.Unlock()
	if p.is.Absent && p.is.Beat == nil {
		_ = s.conn.Close()
		s.end()
		return
	}
	for _, claimed := range s.gateway.registry.mirrors.of(s) {
		p.is.Claims = append(p.is.Claims, claimed.Broker)
	}
	for _, one := range all {
		if one.up.conn == nil {
			continue
		}
		if !connections.Passable(one.up.conn) {
			p.left = append(p.left, one.up)
			continue
		}
		rest, whole := one.up.stopping.Stop(ctx, one.up.conn)
		if !whole { // it has just ended, or its client doesn't read
			p.left = append(p.left, one.up)
			continue
		}
		p.ups, p.conns = append(p.ups, one.up), append(p.conns, one.up.conn)
		p.is.Servers = append(p.is.Servers,
			passedServer{one.up.dest.Side.String(), one.up.dest.Broker, one.heartbeats, rest})
	}
}

// goOn goes on with a session that was to pass.
func (p *stoppedSession) goOn() {
	s := p.session
	for i, up := range p.ups {
		up.passes()
		s.memory.Join()
		up.begin(up.conn, p.is.Servers[i].Rest)
	}
	switch {
	case s.absent:
	case p.is.Absent:
		_ = s.conn.Close()
		s.leave()
		s.limited.Leave()
	default:
		s.stopping = connections.NewStopping()
		s.track.Store(nil) // it is kept anew
		s.gateway.running.Go(func() { s.serve(p.is.Rest) })
	}
}

// abandon closes this process's ends of the connections, which live on in the successor.
func (p *stoppedSession) abandon() {
	s := p.session
	s.mu.Lock()
	s.closed, s.ups, s.heartbeats = true, nil, nil
	s.mu.Unlock()
	_ = s.conn.Close()
	for _, up := range append(p.ups, p.left...) {
		_ = up.conn.Close()
	}
	s.gateway.registry.close(s)
	s.memory.Leave()
}
