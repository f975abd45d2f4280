package gateway

import (
	"errors"
	"io"
	"net"
	"time"

	"rocketshift/internal/gateway/wire"
)

// serve takes a port's clients.
func (g *Gateway) serve(p *port) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			if g.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			g.log.Warn("a client can't be accepted", "port", p.number(), "cause", err)
			time.Sleep(100 * time.Millisecond) // out of descriptors, say: it passes, or it is said again
			continue
		}
		g.running.Go(func() { g.client(p, conn) })
	}
}

// client serves one connection.
func (g *Gateway) client(p *port, conn net.Conn) {
	s := newSession(g, p, conn)
	g.mu.Lock()
	g.sessions[s] = true
	g.mu.Unlock()
	err := s.run(nil)
	g.mu.Lock()
	delete(g.sessions, s)
	g.mu.Unlock()
	if errors.Is(err, wire.ErrFrame) {
		g.log.Warn("a client sent what is no frame; its connection was closed", "client", conn.RemoteAddr().String(), "cause", err)
	} else if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		g.log.Debug("a connection ended", "client", conn.RemoteAddr().String(), "cause", err)
	}
}
