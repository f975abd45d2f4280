package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// session is one connection of a client, with upstream connections of its own.
type session struct {
	gateway *sessions
	port    *port
	conn    net.Conn
	out     connections.Writer
	track   atomic.Pointer[keeper.Track] // nil if the connection isn't kept
	memory  *memory.Holder               // what the connection takes of the process's

	mu      sync.Mutex
	open    map[int32]call
	mayOpen int         // how many calls there is memory for
	crowded atomic.Bool // as many are open
	debts   debts
	ups     map[routing.Dest]*upstream
	// heartbeats are connections that kept the client registered while the gateway was restarted:
	// its heartbeats go there, all else to ups.
	heartbeats map[routing.Dest]*upstream
	pushes     map[int32]push
	lastPush   int32
	registeredAs
	beatCost int // bytes that beat takes
	mirrored mirrored
	leaves   []leave       // that the client leaves, to be brought to the target
	locking  chan struct{} // holds one for each request of the client for locks that is under way
	closed   bool
	pending  pendingFlush

	stopping *connections.Stopping

	absent bool     // the client isn't back since the gateway's restart
	missed [][]byte // what brokers have sent it meanwhile

	limited *connections.Limited
	frame   wire.Frame   // the last one of them; not on the stack, as idle sessions' stacks are to stay small
	frames  atomic.Int64 // that came from the client
	begun   atomic.Bool  // another one has begun to come
	waited  int64        // bytes that came while no gateway served, for longer than senders wait
	seen    swept

	verifier  verifier
	wrote     wroteTo           // the topics that it sends to
	replied   atomic.Bool       // a broker has taken an answer of its to a request
	vip       atomic.Bool       // it has come by a VIP channel, where clients send no heartbeats
	unwelcome map[string]string // why target brokers didn't take its last heartbeat, by broker
}

// push is a request of a broker to the client.
type push struct {
	up     *upstream
	opaque int32 // the broker's
}

func newSession(g *sessions, p *port, conn net.Conn) *session {
	s := &session{
		gateway: g, port: p, conn: conn, out: connections.Writer{Conn: keeper.Bare(conn)},
		locking: make(chan struct{}, mostLocking), mayOpen: freeCalls, open: map[int32]call{},
		ups: map[routing.Dest]*upstream{}, pushes: map[int32]push{}, debts: debts{more: newSignal()},
		stopping: connections.NewStopping(),
	}
	s.memory = g.admission.budget.Enter(connections.AddressOf(conn), s.evicted)
	return s
}

// run serves the client until its connection ends.
func (s *session) run(first []byte) (err error) {
	in := wire.NewReader(&connections.Watched{Conn: s.conn, Begun: &s.begun}, first...)
	in.Bound(s.memory, s.port.longestFrame())
	defer in.Release()
	defer func() {
		s.flush()
		if !s.stopping.At(err, in) {
			s.end()
		}
	}()
	track, f := s.keep(len(first)), &s.frame
	for several := false; ; several = f.More {
		s.begun.Store(in.Buffered())
		if err := in.Next(f); err != nil {
			return err
		}
		if s.frames.Add(1) == 1 && s.limited != nil {
			s.gateway.dismiss(s.limited.Speaks())
		}
		s.begun.Store(false) // while it is worked on, nobody waits for the client
		if s.crowded.Load() {
			if err := s.roomForCalls(); err != nil {
				return err
			}
		}
		s.noteAsked(track, f, in, !several && !f.More)
		if !s.refusesLate(f, in) {
			s.request(f)
		}
		if several && !f.More {
			s.flush()
		}
		if !f.More {
			track.Handled(in.Used(), s.frames.Load())
		}
	}
}

// end ends the session. What the client sent last, its positions above all, must reach the brokers:
// a connection that is closed with something unread takes back what it has sent.
func (s *session) end() {
	s.mu.Lock()
	s.closed = true
	ups := slices.Concat(slices.Collect(maps.Values(s.ups)), slices.Collect(maps.Values(s.heartbeats)))
	s.ups, s.heartbeats = map[routing.Dest]*upstream{}, nil
	s.mu.Unlock()
	s.gateway.unansweredSends.ends(s,
		len(ups)) // before it is forgotten: who looks for its sends finds them here or there
	s.memory.End() // what servers answer now is read without
	_ = s.conn.Close()
	s.gateway.changed.now()
	for _, up := range ups {
		s.inBackground(func() {
			defer s.gateway.unansweredSends.ends(s, -1)
			up.leave()
			up.awaitEnd()
		})
	}
	s.gateway.registry.mirrors.leave(s)
}

var errEnded = errors.New("the client has gone")

// upstream is the session's connection to a server, dialled when it is first needed.
func (s *session) upstream(to routing.Dest) (*upstream, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errEnded
	}
	up := s.ups[to]
	if up == nil {
		up = &upstream{session: s, dest: to}
		s.ups[to] = up
	}
	s.mu.Unlock()
	up.dialling.Lock()
	defer up.dialling.Unlock()
	if up.conn != nil && up.out.Idle() > longestIdle {
		s.retire(up)
		return s.upstream(to)
	}
	if up.conn != nil {
		return up, nil
	}
	s.flush() // what came before needn't wait for that
	if err := up.dial(); err != nil {
		s.forget(up)
		return nil, err
	}
	return up, nil
}

// forHeartbeats is the session's connection to a server that the client's heartbeats go over.
func (s *session) forHeartbeats(to routing.Dest) (*upstream, error) {
	s.mu.Lock()
	up := s.heartbeats[to]
	s.mu.Unlock()
	if up != nil {
		return up, nil
	}
	return s.upstream(to)
}

// longestIdle is below the 120 s after which servers close a silent connection, maybe just when
// something is written to it.
const longestIdle = 100 * time.Second

// retire ends an upstream that was silent for long. What is still open there is answered.
func (s *session) retire(up *upstream) {
	s.forget(up)
	up.retired.Store(true)
	s.inBackground(up.leave) // which may take seconds
}

func (s *session) forget(up *upstream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ups[up.dest] == up {
		delete(s.ups, up.dest)
	}
	if s.heartbeats[up.dest] == up {
		delete(s.heartbeats, up.dest)
	}
}

// forward sends a request on, and enters the call that the answer will belong to.
func (s *session) forward(f *wire.Frame, to routing.Dest, c call) {
	if !s.mayGo(f, to.Side, f.Touched()) {
		s.forgotten(c)
		return
	}
	reach := s.upstream
	if c.rare != nil && c.rare.greets != nil {
		reach = s.forHeartbeats
	}
	up, err := reach(to)
	if err != nil {
		s.forgotten(c)
		s.staysKnown(c)
		s.unreachable(f, to, err)
		return
	}
	c.code, c.opaque, c.up, c.side, c.binary = f.Code, f.Opaque, up, to.Side, f.Binary
	if c.counts() && f.OneWay() {
		c.oneWay = true
		f.SetFlag(f.Flag &^ wire.FlagOneWay) // so that it is known whether the broker takes it
	}
	if f.OneWay() && !c.oneWay {
		f.SetOpaque(s.gateway.opaques.next()) // brokers answer some of these too, such as what they don't know
	} else {
		f.SetOpaque(s.enter(c))
	}
	up.write(f)
}

// unreachable answers a request whose server can't be reached, as that server's own end would look
// to the client.
func (s *session) unreachable(f *wire.Frame, to routing.Dest, err error) {
	if s.gateway.figures.said.unreachable.Due(to) {
		s.gateway.log.Warn("a server can't be reached", "side", to.Side.String(), "broker", to.Broker, "code", f.Code,
			"cause", err)
	}
	if s.endsWith(to) {
		_ = s.conn.Close() // a client knows best what to do without its broker
		return
	}
	s.giveUp(pullOf(f), fmt.Sprintf("%s broker %s: %v", to.Side, to.Broker, err))
}

// endsWith reports whether the client's connection ends with that to a server. It goes on without a
// slave: who read there is sent to the master, whereas the address of a slave that only the gateway
// can't reach would be tried again and again.
func (s *session) endsWith(to routing.Dest) bool {
	return to.Side == routing.Source && !to.Slave() && !s.gateway.table.AnythingOnTarget()
}

// giveUp answers a call that will have no answer. A question for a position is never answered with
// an error: clients take that for "there is none", and begin elsewhere; they ask again after a
// time-out.
func (s *session) giveUp(c call, why string) {
	switch {
	case c.oneWay || c.pushed || c.code == remoting.CodeQueryOffset:
	case isPull(c.code):
		s.owe(pullAgain, nil, c)
	default:
		s.reply(c.opaque, c.binary,
			wire.Reply{Code: remoting.ServiceNotAvailable, Remark: "rocketshift gateway: " + why})
	}
}
