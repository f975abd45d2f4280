package gateway

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// standIn is a broker of the source that tells the test what it is sent.
type standIn struct {
	net.Listener
	got chan standInFrame

	mu      sync.Mutex
	answers map[int]wire.Reply // by code of the request; others aren't answered
}

// answer has the broker answer requests of a code.
func (b *standIn) answer(code int, with wire.Reply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answers == nil {
		b.answers = map[int]wire.Reply{}
	}
	b.answers[code] = with
}

type standInFrame struct {
	conn   net.Conn
	opaque int32 // the gateway's
	code   int
	key    string // properties of a send (sendFrame)
	fields map[string]string
}

// textsOf are the fields of a frame as texts.
func textsOf(f *wire.Frame) map[string]string {
	all := map[string]string{}
	for _, one := range f.Fields {
		all[string(one.Key)] = f.Unescaped(string(one.Key))
	}
	return all
}

func newStandIn(t *testing.T, reads func(conn int) bool) *standIn {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &standIn{Listener: at, got: make(chan standInFrame, 1000)}
	t.Cleanup(func() { _ = at.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			if !reads(n) {
				continue
			}
			go func() {
				in := wire.NewReader(conn)
				var f wire.Frame
				for in.Next(&f) == nil {
					b.got <- standInFrame{conn, f.Opaque, f.Code, string(f.Get("i")), textsOf(&f)}
					b.mu.Lock()
					reply, answers := b.answers[f.Code]
					b.mu.Unlock()
					if answers && !f.OneWay() {
						_, _ = conn.Write(wire.AppendReply(nil, f.Opaque, f.Binary, reply))
					}
				}
			}()
		}
	}()
	return b
}

func (b *standIn) next(t *testing.T) standInFrame {
	t.Helper()
	select {
	case f := <-b.got:
		return f
	case <-time.After(patience):
		t.Fatal("the broker gets nothing")
		return standInFrame{}
	}
}

// before is a gateway before a broker, with a topic of two queues.
func before(t *testing.T, b *standIn) *Gateway {
	t.Helper()
	g := alone(t)
	g.clients.registry.sessions, g.clients.registry.mirrors.claims = map[*session]bool{}, map[claim]*session{}
	g.sides.Brokers[routing.Source].Store(&map[string][]string{"broker-a": {b.Addr().String()}})
	g.table.Topics.Ensure("orders").Ensure("broker-a", 2)
	t.Cleanup(func() {
		g.stop()
		for _, s := range g.clients.registry.all() {
			_ = s.conn.Close()
		}
		g.running.Wait()
	})
	return g
}

// connect is a client of that gateway.
func (g *Gateway) connect(t *testing.T) (*session, net.Conn) {
	t.Helper()
	return g.connectAt(t,
		&port{Dest: routing.Dest{Side: routing.Source, Broker: "broker-a"}, broker: []byte("broker-a")})
}

// connectAt is a client of that gateway at a port.
func (g *Gateway) connectAt(t *testing.T, p *port) (*session, net.Conn) {
	t.Helper()
	here, there := pipe(t)
	s := newSession(g.clients, p, here)
	g.clients.registry.mu.Lock()
	g.clients.registry.sessions[s] = true
	g.clients.registry.mu.Unlock()
	g.running.Go(func() {
		_ = s.runGuarded(nil)
		g.clients.registry.mu.Lock()
		delete(g.clients.registry.sessions, s)
		g.clients.registry.mu.Unlock()
	})
	return s, there
}

func sendFrame(opaque int32, body int) []byte {
	return wire.AppendRequest(nil, remoting.CodeSendV2, opaque, 0,
		[]string{"b", "orders", "e", "0", "i", fmt.Sprint(opaque)}, make([]byte, body))
}

func TestAHoldLetsSendsGoInTheirOrderAndNoClientWaitsForAnother(t *testing.T) {
	b := newStandIn(t, func(conn int) bool { return conn > 0 }) // the first client's broker connection isn't read
	g := before(t, b)
	stuck, _ := g.connect(t)
	_, err := stuck.upstream(stuck.port.Dest)
	require.NoError(t, err)
	_, other := g.connect(t)
	queues := g.table.Topics.Get([]byte("orders")).All()
	m := g.holdAll(queues)
	parked := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool {
			return g.clients.figures.counts.HeldSends.Load() == int64(n)
		}, patience, time.Millisecond, "%d sends wait", n)
	}
	for i := range 4 { // more than a connection takes
		var f wire.Frame
		require.NoError(t, f.Parse(sendFrame(int32(i), 4<<20)))
		require.True(t, m.hold.Park(stuck, &f))
	}
	for i := range 3 {
		_, err := other.Write(sendFrame(int32(i), 10))
		require.NoError(t, err)
	}
	parked(7)
	m.release()
	require.Positive(t, g.clients.figures.counts.HeldSends.Load(), "the move ended though the client's sends are stuck")
	for i := range 3 {
		assert.Equal(t, fmt.Sprint(i), b.next(t).key)
	}
	_, err = other.Write(sendFrame(3, 10))
	require.NoError(t, err)
	assert.Equal(t, "3", b.next(t).key, "and who sends later doesn't wait either")
	require.NotNil(t, queues[0].Hold(), "while it is stuck, the queue can't be moved again")
	queues[0].SetLane(&lane.Lane{Topic: "orders"})
	_, err = g.holdSends(queues[:1], routing.Target)
	require.ErrorContains(t, err, "is being moved already")
}

func TestASendThatWaitedTooLongIsGivenBack(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	g := before(t, b)
	s, client := g.connect(t)
	var f wire.Frame
	require.NoError(t, f.Parse(sendFrame(7, 10)))
	go s.release(routing.NewParked(s, &f, time.Now().Add(-routing.TooLate)), nil)
	require.NoError(t, wire.NewReader(client).Next(&f))
	assert.Equal(t, remoting.ServiceNotAvailable, f.Code)
	assert.EqualValues(t, 7, f.Opaque)
	assert.Empty(t, b.got)
}
