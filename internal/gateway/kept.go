package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/socket"
)

// When a gateway is killed, its keeper (package keeper) has its clients' connections until the next
// process serves with the folder. Clients that wait for pulls alone see nothing: what they have
// asked for meanwhile is read, and their pulls are answered so that they ask again. To the next
// process such a session is a new one, of a client that is expected back and is the same for sure,
// as it never left: whoever it said to be, the brokers are told so again from what is on disk. All
// that it may do is verified with each request, as before.

const (
	// keepTime is for how long connections are kept without a gateway: a supervisor starts the next
	// one within seconds, and clients wait for 30 s for pulls.
	keepTime = 15 * time.Second
	// keptShare is which part of the memory is for notes of connections: 16,384 of them with
	// UsualMemory, more than the memory has room for otherwise.
	keptShare = 64
	slotSize  = 1 << 10 // bytes that a connection's notes take
	// sendPatience is for how long stock producers wait for an answer if nothing else is configured
	// (sendMsgTimeout of Java and of client-go): then they send again, maybe by another connection.
	sendPatience = 3 * time.Second
)

// keeping is how connections are kept.
type keeping struct {
	taken   *keeper.Taken // of before; nil when they go on
	results atomic.Pointer[map[string]int64]
}

const (
	wentOn   = "kept"
	noBroker = "no such broker"
)

func keeperIn(dir string) string { return short(filepath.Join(dir, "keeper")) }

// beginKeeping takes what a process of before has left with its keeper, and starts a keeper.
// Without one it serves all the same. A predecessor that lives has its own until it has passed
// everything.
func (g *Gateway) beginKeeping(before *Predecessor) {
	if before != nil {
		return
	}
	taken, err := keeper.Take(keeperIn(g.config.Dir))
	if err != nil {
		g.log.Warn("clients' connections of before can't be taken over: they are closed", "cause", err)
	}
	if g.config.KeepConnections {
		g.handover.keeping.taken = taken
	} else {
		taken.Close()
	}
	g.startKeeper()
}

func (g *Gateway) startKeeper() {
	if !g.config.KeepConnections {
		return
	}
	k, err := keeper.Start(keeper.Options{
		Path: keeperIn(g.config.Dir), Wait: keepTime, Log: g.log,
		Slots: int(cmp.Or(g.config.Memory, memory.UsualMemory) / keptShare / slotSize),
	})
	if err != nil {
		g.log.Warn("clients' connections can't be kept open if this process is killed", "cause", err)
		return
	}
	g.clients.keeper.Store(k)
}

// keepNoMore ends the keeper: connections are closed, or pass, without it.
func (ss *sessions) keepNoMore() { ss.keeper.Swap(nil).End() }

// endKeeping closes what was taken and doesn't go on.
func (g *Gateway) endKeeping() {
	g.clients.keepNoMore()
	g.handover.keeping.taken.Close()
}

// keepable makes a connection one that may be kept.
func (ss *sessions) keepable(conn net.Conn) net.Conn {
	if !ss.config.KeepConnections {
		return conn
	}
	return keeper.Wrap(conn)
}

// keep has the session's connection kept, unless it is. So many bytes of it were read that aren't
// handled.
func (s *session) keep(unhandled int) *keeper.Track {
	if t := s.track.Load(); t != nil {
		return t
	}
	s.mu.Lock()
	is := keeper.About{
		Broker: s.port.Dest.Broker, VIP: s.vip.Load(), Frames: s.frames.Load(), Pushes: s.lastPush,
		Beat: s.beatNumber(),
	}
	s.mu.Unlock()
	return s.keepAs(is, unhandled)
}

func (s *session) keepAs(is keeper.About, unhandled int) *keeper.Track {
	k := s.gateway.keeper.Load()
	if k == nil {
		return nil
	}
	s.out.Mu.Lock()
	defer s.out.Mu.Unlock()
	t := k.Keep(s.conn, is, unhandled)
	s.out.Track = t
	s.track.Store(t)
	return t
}

// noteAsked notes a request whose client waits for an answer. A pull that has come alone is handled
// by that: whether it gets to a broker or not, it is asked again.
func (s *session) noteAsked(t *keeper.Track, f *wire.Frame, in *wire.Reader, alone bool) {
	if t == nil || f.Response() || f.OneWay() {
		return
	}
	c := keeper.Call{Opaque: f.Opaque, Binary: f.Binary, Pull: isPull(f.Code) && !s.port.names}
	if c.Pull {
		c.Offset = offsetOf(f)
	}
	t.Asks(c)
	if c.Pull && alone {
		t.Handled(in.Used(), s.frames.Load())
	}
}

// refusesLate refuses a message whose sender has given it up by now, and has sent it again: it
// was written while no gateway served.
func (s *session) refusesLate(f *wire.Frame, in *wire.Reader) bool {
	if s.waited == 0 || f.OneWay() || s.port.names {
		return false
	}
	if in.Used()-int64(len(f.Bytes())) >= s.waited {
		s.waited = 0
		return false
	}
	switch f.Code {
	case remoting.CodeSend, remoting.CodeSendV2, remoting.CodeSendBatch, remoting.CodeSendBack,
		remoting.CodeReply, remoting.CodeReplyV2:
		s.refuse(f, remoting.ServiceNotAvailable, "no gateway served when this was sent: send it again")
		return true
	}
	return false
}

// noteBeat notes which heartbeat brokers know the client by. Callers hold s.mu.
func (s *session) noteBeat() {
	if t := s.track.Load(); t != nil {
		t.Says(s.beatNumber())
	}
}

// beatNumber tells heartbeats apart; 0: there is none. Callers hold s.mu.
func (s *session) beatNumber() uint64 {
	if s.beat == nil {
		return 0
	}
	sum := sha256.New()
	_, _ = sum.Write(append([]byte(s.accessKey), 0))
	_, _ = sum.Write(wire.BodyOf(s.beat))
	return binary.BigEndian.Uint64(sum.Sum(nil)) | 1
}

// goOnWithKept goes on with the connections that a process that was killed has left.
func (g *Gateway) goOnWithKept() {
	taken := g.handover.keeping.taken
	g.handover.keeping.taken = nil
	if taken == nil {
		return
	}
	results := map[string]int64{wentOn: 0, noBroker: 0}
	for _, why := range keeper.Reasons() {
		results[why] = int64(taken.Closed[why])
	}
	expected := g.clients.registry.returning.byAddress()
	var going errgroup.Group
	going.SetLimit(registeredTogether)
	for _, one := range taken.Found {
		p := g.clients.ports.of(one.Broker)
		if p == nil {
			results[noBroker]++
			_ = one.Conn.Close()
			continue
		}
		results[wentOn]++
		was := expected[returningAt{p, one.Conn.RemoteAddr().String()}]
		going.Go(func() error {
			g.goOnWith(p, one, was, taken.Away)
			return nil
		})
	}
	_ = going.Wait()
	g.handover.keeping.results.Store(&results)
	g.log.Info("clients' connections were kept while the gateway was restarted", "connections", results)
}

// goOnWith goes on with one connection, after no gateway has served it for some time.
func (g *Gateway) goOnWith(p *port, one keeper.Found, was *session, away time.Duration) {
	conn := g.clients.keepable(socket.Quick(one.Conn))
	guest := g.clients.enter(conn)
	if one.Frames > 0 {
		g.clients.dismiss(guest.Speaks())
	}
	s := g.clients.open(p, conn, guest)
	s.frames.Store(one.Frames)
	s.vip.Store(one.VIP)
	s.lastPush = one.Pushes
	is := one.About
	is.Beat = 0 // it has none here yet
	s.keepAs(is, 0)
	if was != nil && one.Beat != 0 {
		was.mu.Lock()
		same := was.beatNumber() == one.Beat // else it has said something else since that was written
		was.mu.Unlock()
		if same && g.clients.registry.returning.takeOut(was) {
			s.succeeds(was)
		}
	}
	if away > sendPatience {
		s.waited = int64(one.Unread)
	}
	for _, pull := range one.Calls {
		s.pullAgain(call{code: remoting.CodePull, opaque: pull.Opaque, binary: pull.Binary, offset: pull.Offset})
	}
	s.gateway.running.Go(func() { s.serve(nil) })
}

// kept counts the connections of before by what became of them.
func (h *handover) kept() map[string]int64 {
	if results := h.keeping.results.Load(); results != nil {
		return maps.Clone(*results)
	}
	return nil
}
