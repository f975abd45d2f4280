package gateway

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

// upstream is a session's connection to one server.
type upstream struct {
	session  *session
	dest     routing.Dest
	dialling sync.Mutex
	conn     net.Conn
	out      connections.Writer
	retired  atomic.Bool // it ends because it isn't needed
	stopping *connections.Stopping
	frame    wire.Frame // the last one that came
	frames   atomic.Int64
	seen     swept
}

func (u *upstream) dial() error {
	conn, err := u.session.gateway.dial(u.dest)
	if err != nil {
		return err
	}
	u.session.mu.Lock()
	defer u.session.mu.Unlock()
	if u.session.closed || !u.session.memory.Join() {
		_ = conn.Close()
		return errEnded
	}
	u.begin(conn, nil)
	return nil
}

// begin takes a connection, of which something was read before.
func (u *upstream) begin(conn net.Conn, rest []byte) {
	u.conn, u.stopping = conn, connections.NewStopping()
	u.out.Conn, u.out.Last = conn, time.Now()
	u.session.gateway.sides.Origins.Begin(conn)
	u.session.gateway.figures.counts.Upstreams.Add(1)
	u.session.gateway.running.Go(func() {
		defer close(u.stopping.Ended)
		u.runGuarded(rest)
	})
}

const (
	// leaveTime bounds how long a server may take to end its side.
	leaveTime = 3 * time.Second
	// lastSendsTime bounds how long a broker may take to answer the last sends of a client that has
	// gone: brokers themselves wait 5 s for disks and slaves.
	lastSendsTime = 10 * time.Second
)

// leave says that nothing more comes, and lets the server end the connection. Heartbeats are
// answered before: a broker that takes one up after it has seen the connection end registers the
// client again, and keeps it for two minutes, while other members leave queues to it. So are sends:
// a server that sees the connection end closes it, and answers nothing more that it has (Netty
// without ALLOW_HALF_CLOSURE).
func (u *upstream) leave() {
	if u.conn == nil {
		return
	}
	u.awaitAnswers(leaveTime, func(c call) bool { return c.code == remoting.CodeHeartbeat })
	u.awaitAnswers(lastSendsTime, func(c call) bool { return sends(c.code) })
	if !connections.HalfClose(u.conn) {
		_ = u.conn.Close()
		return
	}
	_ = u.conn.SetReadDeadline(time.Now().Add(leaveTime))
}

// awaitAnswers waits for the answers to open calls, within a bound.
func (u *upstream) awaitAnswers(most time.Duration, which func(call) bool) {
	waits := func(c call) bool { return c.up == u && which(c) }
	for begin := time.Now(); u.session.any(waits) && time.Since(begin) < most; {
		if sleep.For(u.session.gateway.ctx, replicas.ProofPause) != nil {
			return
		}
	}
}

// awaitEnd waits until nobody reads it any more. What has no answer by then is a loss.
func (u *upstream) awaitEnd() {
	if u.conn != nil {
		<-u.stopping.Ended
	}
}

// write sends a frame. If that fails, the reading side ends too, and answers what is open.
func (u *upstream) write(f *wire.Frame) {
	u.nameBroker(f)
	u.session.gateway.keys.Sign(f, u.dest.Side)
	err := u.out.Frame(f)
	if err == nil && f.More && !u.session.keeps(u) {
		err = u.out.Flush()
	}
	if err != nil {
		_ = u.conn.Close()
	}
}

// passes takes note that the connection isn't this session's any more, though it lives on.
func (u *upstream) passes() {
	u.session.gateway.sides.Origins.End(u.conn)
	u.session.gateway.figures.counts.Upstreams.Add(-1)
}

// run takes what the server sends.
func (u *upstream) run(rest []byte) {
	in := wire.NewReader(u.conn, rest...)
	in.Bound(u.session.memory, wire.MaxFrame)
	in.Drops(lastSendsTime)
	defer in.Release()
	f := &u.frame
	for several := false; ; several = f.More {
		err := in.Next(f)
		if err != nil && u.dropped(f, err) {
			continue
		}
		if err != nil {
			_ = u.session.out.Flush()
			if !u.stopping.At(err, in) {
				u.broke(err)
			}
			return
		}
		u.frames.Add(1)
		if f.Response() {
			err = u.answer(f)
		} else {
			err = u.push(f)
		}
		if several && !f.More {
			err = errors.Join(err, u.session.out.Flush())
		}
		if err != nil {
			_ = u.session.conn.Close() // the client doesn't take what it asked for
		}
	}
}

// broke ends what waited for the server. While everything is on the source, a client sees its
// broker go as it would without a gateway.
func (u *upstream) broke(err error) {
	_ = u.conn.Close()
	u.session.gateway.sides.Origins.End(u.conn)
	u.session.gateway.figures.counts.Upstreams.Add(-1)
	s := u.session
	s.forget(u)
	s.gateway.registry.mirrors.lost(s, u.dest)
	if s.endsWith(u.dest) && !u.retired.Load() {
		_ = s.conn.Close()
	}
	for _, c := range s.lose(func(c call) bool { return c.up == u }) {
		s.giveUp(c, "the connection to "+u.dest.Side.String()+" broker "+u.dest.Broker+" broke: "+err.Error())
	}
}

// odd closes the connection to a server whose answer its client may read otherwise than it is read
// here.
func (u *upstream) odd(f *wire.Frame, c call) bool {
	err := bodies.OddNumber(f, bodies.NumbersInAnswer(c.code))
	if err == nil {
		return false
	}
	if u.session.gateway.figures.said.odd.Due(u.dest) {
		u.session.gateway.log.Error("an answer of a server can't be read: the connection to it is closed",
			"side", u.dest.Side.String(), "broker", u.dest.Broker, "code", c.code, "cause", err)
	}
	_ = u.conn.Close()
	return true
}

// answer passes an answer on to the client, if somebody waits for it.
func (u *upstream) answer(f *wire.Frame) error {
	s := u.session
	c, there := s.peek(f.Opaque, u)
	if !there {
		return nil // it was answered: a long poll of a queue that moved
	}
	if u.odd(f, c) {
		return nil
	}
	s.gateway.figures.counts.Answer(classOf(c.code), len(f.Bytes()))
	if c.rare != nil && c.rare.wants != nil {
		c.view = s.makes(f, c)
	}
	if isPull(c.code) && c.view != nil {
		return u.pulled(f, c)
	}
	if sends(c.code) && c.queue != nil {
		u.judgeSent(f, c) // before it is out of the table: who looks for sends finds it there, or knows where it lies
	}
	if _, there = s.take(f.Opaque, u); !there {
		return nil
	}
	f.SetOpaque(c.opaque)
	if c.rare != nil && c.rare.reply != nil && u.triesTarget(f, c) {
		return nil
	}
	if c.rare != nil && c.rare.answers != nil {
		c.rare.answers <- brokersAnswer{f.Code, f.RemarkText(), bytes.Clone(f.Body)}
		return nil
	}
	if f.Code == remoting.Success {
		s.learn(c)
	} else {
		s.forgotten(c)
	}
	if c.pushed {
		if c.code == remoting.CodeHeartbeat {
			s.heard(u.dest, f)
		}
		return nil
	}
	switch {
	case sends(c.code):
		s.gateway.figures.counts.Sends[u.dest.Side].Observe(time.Since(c.since))
		u.sent(f, c)
	case c.code == remoting.CodeQueryOffset && c.view != nil:
		return u.queried(f, c)
	case c.code == remoting.CodeMaxOffset || c.code == remoting.CodeMinOffset:
		u.bound(f, c)
	default:
		u.tellAnswer(f, c)
	}
	if c.oneWay {
		return nil
	}
	return s.out.Frame(f)
}

// mostPushes is how many requests of brokers a client may leave without an answer.
const mostPushes = 1000

// push passes a broker's own request on to the client, with a number of its own: both sides may use
// the same.
func (u *upstream) push(f *wire.Frame) error {
	s := u.session
	if s.absent {
		s.mu.Lock()
		s.misses(f)
		s.mu.Unlock()
		return nil
	}
	if u.dest.Side == routing.Target && !pushedByTarget(f.Code) {
		if !f.OneWay() {
			_ = u.out.Bytes(
				wire.AppendReply(nil, f.Opaque, f.Binary,
					wire.Reply{Code: remoting.NotSupported, Remark: "rocketshift gateway: ask the source"}),
			)
		}
		return nil
	}
	if u.dest.Side == routing.Target && !u.tellPush(f) {
		return nil
	}
	if !f.OneWay() {
		s.mu.Lock()
		s.lastPush++
		number := s.lastPush
		s.track.Load().Pushes(number)
		s.pushes[number] = push{u, f.Opaque}
		delete(s.pushes, number-mostPushes) // its client won't answer any more
		s.mu.Unlock()
		f.SetOpaque(number)
	}
	return s.out.Frame(f)
}

// answered passes a client's answer on to the broker that asked.
func (s *session) answered(f *wire.Frame) {
	s.mu.Lock()
	p, there := s.pushes[f.Opaque]
	delete(s.pushes, f.Opaque)
	s.mu.Unlock()
	if there {
		f.SetOpaque(p.opaque)
		p.up.write(f)
	}
}
