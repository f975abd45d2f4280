package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

const (
	// comeBackTime is how long a client may take to say who it is after the gateway's restart: its
	// next heartbeat comes within 30 s (ClientConfig.heartbeatBrokerInterval). One that doesn't
	// come is struck off, so that others get its queues.
	comeBackTime = 40 * time.Second
	// registerTime bounds how long brokers may take to register clients again before others are
	// served.
	registerTime = 2 * time.Second
	// registeredTogether is how many clients are registered at the same time.
	registeredTogether = 64
)

// returning are sessions without a connection to a client: of those that are expected back. They
// keep their clients registered.
type returning struct {
	mu       sync.Mutex
	byClient map[string][]*session
}

// registerBefore registers the clients of before that the folder knows.
func (ss *sessions) registerBefore() {
	of, err := readRegistrations(ss.config.Dir, ss.config.mostOfRegistrations())
	if err != nil {
		ss.log.Warn("which clients there were can't be read: they are known again with their next heartbeats",
			"cause", err)
	}
	ss.registerAgain(ss.ctx, of)
}

// registerAgain registers the clients of before with the brokers of both sides.
func (ss *sessions) registerAgain(ctx context.Context, all registrations) {
	ctx, cancel := context.WithTimeout(ctx, registerTime)
	defer cancel()
	var sessions []*session
	var no logs.NotTaken
	for _, one := range all.Clients {
		s, err := ss.expect(one)
		if err != nil {
			no.Note(one.Address, err)
			continue
		}
		sessions = append(sessions, s)
	}
	no.Say(ss.log, "clients of before aren't expected back")
	if len(sessions) == 0 {
		return
	}
	begin := time.Now()
	var sent errgroup.Group
	sent.SetLimit(registeredTogether)
	for _, s := range sessions {
		sent.Go(func() error {
			defer s.recovered(func() int { return remoting.CodeHeartbeat })
			s.mirror(s.port.Dest, s.beat)
			s.gateway.registry.mirrors.beat(s, s.identity, s.beat)
			return nil
		})
	}
	_ = sent.Wait()
	missing := 0
	for _, s := range sessions {
		for s.registering() && sleep.For(ctx, replicas.ProofPause) == nil {
		}
		if s.registering() {
			missing++
		}
	}
	ss.log.Info("clients of before were registered with their brokers again", "connections", len(sessions),
		"not yet", missing, "took", time.Since(begin).String())
	ss.running.Go(ss.expectForAWhile)
}

// expectForAWhile gives up the clients that don't come back.
func (ss *sessions) expectForAWhile() {
	if sleep.For(ss.ctx, comeBackTime) == nil {
		ss.expectNoMore()
	}
}

// registering reports whether a broker hasn't answered yet that is to register the client.
func (s *session) registering() bool {
	return s.any(func(c call) bool { return c.code == remoting.CodeHeartbeat })
}

// expect makes the session of a client that is expected back.
func (ss *sessions) expect(one registration) (*session, error) {
	p := ss.ports.of(one.Broker)
	if p == nil {
		return nil, errors.New("the source has no broker " + one.Broker)
	}
	s := newSession(ss, p, nobody{address(one.Address)})
	s.absent = true
	if err := s.remember(one.Beat); err != nil {
		s.memory.Leave()
		return nil, err
	}
	ss.registry.mu.Lock()
	ss.registry.sessions[s] = true
	ss.registry.mu.Unlock()
	ss.registry.returning.mu.Lock()
	defer ss.registry.returning.mu.Unlock()
	if ss.registry.returning.byClient == nil {
		ss.registry.returning.byClient = map[string][]*session{}
	}
	ss.registry.returning.byClient[s.client] = append(ss.registry.returning.byClient[s.client], s)
	return s, nil
}

// remember takes over what a client's last heartbeat says, as brokers have taken it before.
func (s *session) remember(raw []byte) error {
	if raw == nil {
		return nil
	}
	var f wire.Frame
	if err := f.Parse(raw); err != nil {
		return err
	}
	says, err := bodies.ParseHeartbeat(f.Body)
	if err != nil {
		return err
	}
	cost := bodies.CostOf(len(raw), says)
	if !s.memory.Try(cost) {
		return errors.New("there is no memory for its heartbeat")
	}
	s.beatCost = cost
	was := greeting{beat: says, accessKey: f.Unescaped(wire.FieldAccessKey), raw: raw}
	s.registeredAs = was.registers()
	return nil
}

// take takes the session out that kept a client registered, if there is one. Two applications may
// have one client id: then their groups differ.
func (r *returning) take(client string, is func(*session) bool) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.byClient[client]
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return nil
	}
	found := all[i]
	if r.byClient[client] = slices.Delete(all, i, i+1); len(all) == 1 {
		delete(r.byClient, client)
	}
	return found
}

// returningAt is where a client was connected, and from where.
type returningAt struct {
	port    *port
	address string
}

// byAddress are all of them.
func (r *returning) byAddress() map[returningAt]*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[returningAt]*session{}
	for _, some := range r.byClient {
		for _, s := range some {
			all[returningAt{s.port, s.conn.RemoteAddr().String()}] = s
		}
	}
	return all
}

// all takes all of them out.
func (r *returning) all() (all []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, some := range r.byClient {
		all = append(all, some...)
	}
	r.byClient = nil
	return all
}

// misses keeps brokers' words to a client that isn't back. Callers hold s.mu.
func (s *session) misses(f *wire.Frame) {
	const most = 100 // as many groups as a client has members of, and more
	if f.Code == remoting.CodeNotifyMembers && len(s.missed) < most {
		s.missed = append(s.missed, slices.Clone(f.Bytes()))
	}
}

// leave ends a session that isn't read.
func (s *session) leave() {
	s.end()
	s.gateway.registry.close(s)
	s.memory.Leave()
}

// expectNoMore gives up the clients that haven't come back.
func (ss *sessions) expectNoMore() {
	all := ss.registry.returning.all()
	for _, s := range all {
		s.leave()
	}
	if len(all) > 0 {
		ss.log.Warn("clients haven't come back since the gateway's restart; brokers are told that they are gone",
			"connections", len(all), "first", all[0].client)
	}
}

// mayNotReturn gives up a client that a broker of the source doesn't take any more.
func (s *session) mayNotReturn(f *wire.Frame) {
	was := s.gateway.registry.returning.takeOut(s)
	if !was {
		return
	}
	if s.gateway.figures.said.returning.Due(s.port.Dest) {
		s.gateway.log.Warn("a broker of the source refuses a client of before", "client", s.client, "broker",
			s.port.Dest.Broker, "code", f.Code, "remark", string(f.Remark[:min(len(f.Remark), longestRemark)]))
	}
	s.inBackground(s.leave)
}

// takeOut takes one session out; false if it isn't there any more.
func (r *returning) takeOut(one *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.byClient[one.client]
	i := slices.Index(all, one)
	if i < 0 {
		return false
	}
	r.byClient[one.client] = slices.Delete(all, i, i+1)
	return true
}

// nobody is the connection of a client that isn't back.
type nobody struct{ address }

// address is where a client was.
type address string

func (a address) Network() string { return "tcp" }

func (a address) String() string { return string(a) }

func (nobody) Read([]byte) (int, error)         { return 0, io.EOF }
func (nobody) Write(b []byte) (int, error)      { return len(b), nil }
func (nobody) Close() error                     { return nil }
func (n nobody) LocalAddr() net.Addr            { return n.address }
func (n nobody) RemoteAddr() net.Addr           { return n.address }
func (nobody) SetDeadline(time.Time) error      { return nil }
func (nobody) SetReadDeadline(time.Time) error  { return nil }
func (nobody) SetWriteDeadline(time.Time) error { return nil }
