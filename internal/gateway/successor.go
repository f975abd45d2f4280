package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A planned restart isn't seen by clients: the process that serves (the predecessor) passes everything to the one that is to serve
// (the successor), which was started with the same folder. Connections pass with what was read of them and not used; what clients
// have asked is answered before, and their long polls are answered so that they ask again. Connections over TLS can't pass, as
// their keys are in the predecessor's memory: these clients connect again, and stay registered meanwhile.
//
//	predecessor              successor
//	            <- connects
//	listeners, lock ->                    no round begins any more; the state on disk is final
//	                          reads the state, looks at both clusters
//	            <- goOn
//	sessions ->                           nothing is read any more, neither from clients nor from servers
//	            <- goOn                   everything is taken
//	yours ->                              from here on the predecessor does nothing any more
//
// Until then the predecessor can go on as before, and does if the successor ends, fails, or takes too long.

const (
	// quietTime bounds how long requests may take to be answered before connections pass. Who isn't answered by then has lost
	// the answer, as with any broker's restart.
	quietTime = time.Second
	// passTime bounds the whole, without the successor's look at the clusters.
	passTime = 5 * time.Second
	// successorLook bounds how long the successor may look at both clusters, during which nothing can be moved.
	successorLook = 30 * time.Second
	// passedTogether is how many sessions are stopped at the same time.
	passedTogether = 256
)

// passedServer is a session's connection to a server.
type passedServer struct {
	Side       string `json:"side"`
	Broker     string `json:"broker"`
	Heartbeats bool   `json:"heartbeats,omitempty"` // the client's heartbeats alone go over it
	Rest       []byte `json:"rest,omitempty"`       // what was read of it and not used
}

// passedSession is a session on its way to the successor.
type passedSession struct {
	Broker   string         `json:"broker"` // to whose port the client is connected
	Address  string         `json:"address"`
	Absent   bool           `json:"absent,omitempty"` // its own connection doesn't pass
	Rest     []byte         `json:"rest,omitempty"`
	Frames   int64          `json:"frames"`
	Beat     []byte         `json:"beat,omitempty"`
	LastPush int32          `json:"lastPush"`
	LastOwn  int32          `json:"lastOwn"`
	Claims   []string       `json:"claims,omitempty"` // target brokers that the client's heartbeats go to from here
	Servers  []passedServer `json:"servers,omitempty"`
}

// stoppedSession is a session with its connections, stopped.
type stoppedSession struct {
	session *session
	is      passedSession
	conns   []net.Conn // the client's, unless it is absent, then those to servers
	ups     []*upstream
	left    []*upstream // that don't pass
}

// clientPort begins the names of listeners for clients.
const clientPort = "port "

// frozen is the round that this gateway takes part in while it passes everything on: no other one begins.
const frozen = "restart of the gateway"

// freeze lets no round begin until it is thawed.
func (g *Gateway) freeze(ctx context.Context) error {
	for {
		g.parts.mu.Lock()
		now := g.parts.now
		if now == nil {
			g.parts.now = &part{round: Round{ID: frozen}, ended: true}
		}
		g.parts.mu.Unlock()
		if now == nil {
			return nil
		}
		if err := wait(ctx, proofPause); err != nil {
			return fmt.Errorf("round %s hasn't ended: %w", now.round.ID, err)
		}
	}
}

func (g *Gateway) thaw() {
	g.parts.mu.Lock()
	defer g.parts.mu.Unlock()
	if p := g.parts.now; p != nil && p.round.ID == frozen {
		g.parts.now = nil
	}
}

// stopAll stops all sessions, and returns what can pass. Of the others the connections are closed.
func (g *Gateway) stopAll() []*stoppedSession {
	ctx, over := context.WithTimeout(g.ctx, quietTime)
	defer over()
	g.ports.pause()
	sessions := g.all()
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
		for p.session.busy() && wait(ctx, proofPause/4) == nil {
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

// busy reports whether the session has something under way that the successor wouldn't know of. Long polls are no such thing.
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

// stopClient stops the reader of the client's connection. A session whose connection can't pass goes on as absent if brokers know its
// client, else it ends.
func (s *session) stopClient(ctx context.Context) *stoppedSession {
	p := &stoppedSession{session: s, is: passedSession{Broker: s.port.dest.broker, Address: s.conn.RemoteAddr().String(), Absent: s.absent, Frames: s.frames.Load()}}
	if s.absent {
		return p
	}
	rest, whole := s.stopping.stop(ctx, s.conn)
	switch {
	case whole && passable(s.conn):
		p.is.Rest, p.conns = rest, []net.Conn{s.conn}
		return p
	case !whole:
		_ = s.conn.Close() // it ends by itself
		return nil
	}
	p.is.Absent = true
	return p
}

// stopServers answers the client's long polls, so that it asks again, and stops the readers of connections to servers.
func (p *stoppedSession) stopServers(ctx context.Context) {
	s := p.session
	unread := context.AfterFunc(ctx, func() { _ = s.conn.Close() }) // a client that doesn't read is as good as gone
	for _, c := range s.takeAll(func(c call) bool { return isPull(c.code) }) {
		s.pullAgain(c.opaque, c.binary, c.offset)
	}
	if !unread() {
		s.end()
		return
	}
	s.mu.Lock()
	p.is.Beat, p.is.LastPush, p.is.LastOwn = s.beat, s.lastPush, s.lastOwn
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
	for _, claimed := range s.mirrors.of(s) {
		p.is.Claims = append(p.is.Claims, claimed.broker)
	}
	for _, one := range all {
		if one.up.conn == nil {
			continue
		}
		if !passable(one.up.conn) {
			p.left = append(p.left, one.up)
			continue
		}
		rest, whole := one.up.stopping.stop(ctx, one.up.conn)
		if !whole { // it has just ended, or its client doesn't read
			p.left = append(p.left, one.up)
			continue
		}
		p.ups, p.conns = append(p.ups, one.up), append(p.conns, one.up.conn)
		p.is.Servers = append(p.is.Servers, passedServer{one.up.dest.side.String(), one.up.dest.broker, one.heartbeats, rest})
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
	default:
		s.stopping = newStopping()
		s.running.Go(func() { s.serve(p.is.Rest) })
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
	s.Gateway.close(s)
	s.memory.Leave()
}

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

// Drain lets no client in any more, waits until those that are in have their answers, for a second at most, and ends their
// connections. Their registrations are kept for the next process. It does nothing where another process has taken everything.
func (g *Gateway) Drain() {
	select {
	case <-g.succession.done:
		return
	default:
	}
	ctx, over := context.WithTimeout(g.ctx, quietTime)
	defer over()
	if err := g.freeze(ctx); err != nil {
		g.log.Warn("it ends in the middle of a round", "cause", err)
	}
	g.state.freeze()
	for _, p := range g.stopAll() {
		for _, up := range p.ups { // whose readers are stopped
			_ = up.conn.Close()
		}
		p.session.leave()
	}
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

// succession is how a gateway passes everything on.
type succession struct {
	done chan struct{} // closed when a successor has taken everything
}

// Listeners are those of a process that aren't for clients, such as its control API's. They pass from process to process too.
type Listeners struct {
	From *Predecessor // whose listeners are used where the addresses are the same; nil if there is none

	mu   sync.Mutex
	open map[string]net.Listener // by name
}

// Listen listens at host:port. The name is what the process's successor knows the listener by.
func (l *Listeners) Listen(name, address string) (at net.Listener, err error) {
	if l == nil {
		return net.Listen("tcp", address)
	}
	if at = l.From.listener(name); at != nil && !sameAddress(at.Addr(), address) {
		_ = at.Close()
		at = nil
	}
	if at == nil {
		if at, err = net.Listen("tcp", address); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[string]net.Listener{}
	}
	l.open[name] = at
	return at, nil
}

// all are the open ones, by name.
func (l *Listeners) all() map[string]net.Listener {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.open)
}

// sameAddress reports whether a listener is where an address says; port 0 is anywhere on that host.
func sameAddress(at net.Addr, wanted string) bool {
	is, one := at.(*net.TCPAddr)
	want, err := net.ResolveTCPAddr("tcp", wanted)
	if !one || err != nil || want.Port != 0 && want.Port != is.Port {
		return false
	}
	everywhere := want.IP == nil || want.IP.IsUnspecified()
	return everywhere && is.IP.IsUnspecified() || is.IP.Equal(want.IP)
}

// Succeeded is closed when another process has taken everything: then this one does nothing any more, and is to end.
func (g *Gateway) Succeeded() <-chan struct{} { return g.succession.done }
