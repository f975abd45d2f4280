package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/socket"
)

// sessionRegistry has the sessions of clients, and those that aren't back since a restart.
type sessionRegistry struct {
	mirrors   mirrors
	returning returning
	mu        sync.Mutex
	sessions  map[*session]bool
}

func newSessionRegistry() sessionRegistry {
	return sessionRegistry{mirrors: mirrors{claims: map[claim]*session{}}, sessions: map[*session]bool{}}
}

// serve takes the clients that come to a port at one of its listeners; vip: at its VIP channel.
func (ss *sessions) serve(p *port, at net.Listener, vip bool) {
	for {
		conn, err := at.Accept()
		if err != nil {
			if ss.ctx.Err() != nil || errors.Is(err, net.ErrClosed) || p.paused.Load() {
				return
			}
			if ss.figures.said.accepts.Due() {
				ss.log.Warn("a client can't be accepted", "port", p.number(), "cause", err)
			}
			time.Sleep(100 * time.Millisecond) // out of descriptors, say: it passes, or it is said again
			continue
		}
		ss.running.Go(func() { ss.serveClient(p, conn, vip) })
	}
}

// serveClient serves one connection, which may have come by the port's VIP channel.
func (ss *sessions) serveClient(p *port, raw net.Conn, vip bool) {
	raw = ss.keepable(socket.Quick(raw))
	defer context.AfterFunc(ss.ctx, func() { _ = raw.Close() })()
	guest := ss.enter(raw)
	conn, first, err := ss.admission.entry.Admit(ss.ctx, raw)
	if err != nil {
		guest.Leave()
		_ = raw.Close()
		ss.ended(raw, err)
		return
	}
	if conn != raw {
		ss.dismiss(guest.Secures())
	}
	s := ss.open(p, conn, guest)
	s.vip.Store(vip)
	s.serve(first)
}

// serve serves a client until its connection ends, or passes to another process.
func (s *session) serve(first []byte) {
	defer close(s.stopping.Ended)
	defer context.AfterFunc(s.gateway.ctx, func() { _ = s.conn.Close() })()
	err := s.runGuarded(first)
	if s.stopping.Whole {
		return
	}
	s.limited.Leave()
	s.gateway.registry.close(s)
	s.gateway.ended(s.conn, err)
}

// enter lets a connection in, maybe for another one.
func (ss *sessions) enter(conn net.Conn) *connections.Limited {
	comes, goes := ss.admission.limiter.Enter(conn)
	ss.dismiss(goes)
	return comes
}

// dismiss closes connections that have to go for others.
func (ss *sessions) dismiss(all []*connections.Limited) {
	for _, goes := range all {
		_ = goes.Conn.Close()
		ss.admission.bounds.crowded.Add(1)
		if ss.admission.limiter.Full.Due() {
			ss.log.Error(
				"there are too many connections for this process's descriptors or memory: one was closed for "+
					"another; allow the process more (ulimit -n, --memory)",
				"client",
				goes.Conn.RemoteAddr().String(),
			)
		}
	}
}

// open makes a connection's session.
func (ss *sessions) open(p *port, conn net.Conn, of *connections.Limited) *session {
	s := newSession(ss, p, conn)
	s.limited = of
	ss.registry.mu.Lock()
	defer ss.registry.mu.Unlock()
	ss.registry.sessions[s] = true
	return s
}

// all are the sessions of this moment.
func (sr *sessionRegistry) all() []*session {
	sr.mu.Lock()
	defer sr.mu.Unlock()
	return slices.Collect(maps.Keys(sr.sessions))
}

// close forgets a session that has ended.
func (sr *sessionRegistry) close(s *session) {
	sr.mu.Lock()
	defer sr.mu.Unlock()
	delete(sr.sessions, s)
}

// ended says why a connection has ended, if that isn't usual.
func (ss *sessions) ended(conn net.Conn, err error) {
	client := conn.RemoteAddr().String()
	switch {
	case errors.Is(err, wire.ErrFrame):
		ss.admission.bounds.frames.Add(1)
		if !ss.figures.said.frames.Due() {
			return
		}
		ss.log.Warn("a client sent what is no frame; its connection was closed", "client", client, "cause", err)
	case errors.Is(err, connections.ErrNoCertificate), errors.Is(err, connections.ErrHandshake):
		if ss.admission.entry.Refusals.Due() {
			ss.log.Warn("a client was refused", "client", client, "cause", err)
		}
	case errors.Is(err, memory.ErrNoRoom), errors.Is(err, memory.ErrTooMuch):
		ss.noRoom(client, err)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed):
		ss.log.Debug("a connection ended", "client", client, "cause", err)
	}
}
