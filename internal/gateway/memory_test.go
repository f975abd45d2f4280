package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// testMemory is what there is to share in these tests, in bytes.
const testMemory = 96 << 20

// shared is a gateway whose clients come from several addresses, before a broker that answers as
// the test says.
type shared struct {
	*testing.T
	*Gateway
	door  net.Listener
	begin uint64       // bytes of the heap when the test began
	asked atomic.Int64 // requests that came to the broker
}

// share makes one. Requests are answered with what answer returns, nothing if that is nil.
func share(t *testing.T, answer func(f *wire.Frame) *wire.Reply) *shared {
	t.Helper()
	at := listen(t)
	s := &shared{T: t}
	go acceptAll(at, func(conn net.Conn) {
		in := wire.NewReader(conn)
		var f wire.Frame
		for in.Next(&f) == nil {
			s.asked.Add(1)
			if r := answer(&f); r != nil && !f.OneWay() {
				if _, err := conn.Write(wire.AppendReply(nil, f.Opaque, f.Binary, *r)); err != nil {
					return
				}
			}
		}
	})
	g := before(t, &standIn{Listener: at})
	g.clients.admission.budget = memory.New(testMemory)
	g.clients.admission.limiter.Budget = g.clients.admission.budget
	t.Cleanup(g.clients.admission.budget.Close)
	s.Gateway, s.door, s.begin = g, listen(t), heap()
	p := &port{Dest: routing.Dest{Side: routing.Source, Broker: "broker-a"}, broker: []byte("broker-a")}
	go acceptAll(s.door, func(conn net.Conn) { g.clients.serveClient(p, conn, false) })
	return s
}

// fine answers everything well.
func fine(*wire.Frame) *wire.Reply { return &wire.Reply{} }

// from is a client's connection from 127.0.0.n.
func (s *shared) from(n byte) net.Conn {
	s.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}, Timeout: patience}
	conn, err := d.Dial("tcp", s.door.Addr().String())
	require.NoError(s, err)
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}

// writes sends bytes as far as the gateway takes them.
func writes(conn net.Conn, raw []byte) { go func() { _, _ = conn.Write(raw) }() }

// well has a client at 127.0.0.1 ask and be answered, with a body of so many bytes.
func (s *shared) well(body int) (took time.Duration) {
	s.Helper()
	conn := s.from(1)
	defer conn.Close()
	begin := time.Now()
	require.NoError(s, conn.SetDeadline(begin.Add(patience)))
	_, err := conn.Write(sendFrame(7, body))
	require.NoError(s, err)
	var f wire.Frame
	require.NoError(s, wire.NewReader(conn).Next(&f))
	require.Equal(s, remoting.Success, f.Code, "%s", f.Remark)
	return time.Since(begin)
}

// until waits for a condition.
func (s *shared) until(what string, ok func() bool) {
	s.Helper()
	require.Eventually(s, ok, patience, 5*time.Millisecond, what)
}

// heap is what lies in the heap and is used, and what stacks take.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what a first one finalizes
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// grown is by how much the heap has grown since the test began.
func (s *shared) grown() int64 { return int64(heap()) - int64(s.begin) }

// begunFrame is the beginning of a frame of 16 MiB: a send's header, and so much of its body.
func begunFrame(body int) []byte {
	raw := sendFrame(1, body)
	binary.BigEndian.PutUint32(raw, wire.MaxFrame-longestGrowth)
	return raw
}

// Two hundred frames of 16 MiB that have begun, and don't come to their ends.
func TestBegunFramesStayWithinTheMemory(t *testing.T) {
	s := share(t, fine)
	var conns []net.Conn
	for i := range 200 {
		conn := s.from(2 + byte(i%4))
		conns = append(conns, conn)
		writes(conn, begunFrame(1<<20))
	}
	s.until("the first ones go for others", func() bool { return s.Bounds().Evicted > 20 })
	assert.Less(t, s.grown(), int64(testMemory))
	s.well(1000)
	s.well(100_000)
	assert.Less(t, s.Bounds().Held, int64(testMemory))
	for _, conn := range conns {
		_ = conn.Close()
	}
	s.returned()
}

// returned waits until nobody is connected any more, and wants everything given back.
func (s *shared) returned() {
	s.Helper()
	s.until("all connections have ended", func() bool { return len(s.clients.registry.all()) == 0 })
	s.until("everything is given back",
		func() bool { b := s.Bounds(); return b.Held == 0 && b.Fixed == 0 && b.Waiting == 0 })
}

// A connection that has carried a header as long as may be keeps nothing of it.
func TestIdleConnectionsKeepNothingOfTheirLongHeaders(t *testing.T) {
	s := share(t, fine)
	fields := []string{"b", "orders", "e", "0"}
	for i := range wire.MaxFields - 2 {
		fields = append(fields, fmt.Sprint("field-", i), strings.Repeat("x", 2000))
	}
	raw := wire.AppendRequest(nil, remoting.CodeSendV2, 1, 0, fields, nil)
	const conns = 100 // so many have room at once: on a machine that stands still nobody goes for others
	for range conns {
		conn := s.from(2)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		writes(conn, raw)
	}
	s.until("all are passed on", func() bool { return s.asked.Load() == conns })
	s.until("nothing is held", func() bool { return s.Bounds().Held == 0 })
	// Half as much again is for its other ends, which are here too, and for what the race detector
	// adds. A header takes four times as much.
	const again = 8 << 20 // what large frames were in is used again, by all (wire.Reader)
	assert.Less(t, s.grown()/conns, int64(connections.PerClient*connections.PerDescriptor*3/2+again/conns),
		"bytes of each connection")
}

// longBeat is a heartbeat's body whose one subscription makes it so long.
func longBeat(client string, size int) []byte {
	return fmt.Appendf(nil, `{"clientID":"%s","consumerDataSet":[{"groupName":"long",`+
		`"subscriptionDataSet":[{"topic":"orders","subString":"%s"}]}]}`, client, strings.Repeat("x", size))
}

// Heartbeats that are as long as may be are kept as long as nobody else needs the memory.
func TestKeptHeartbeatsGoForOthers(t *testing.T) {
	s := share(t, fine)
	beat := wire.AppendRequest(nil, remoting.CodeHeartbeat, 1, 0, nil, longBeat("a", mostBeat-300))
	for i := range 40 {
		conn := s.from(2 + byte(i%4))
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		writes(conn, beat)
	}
	s.until("some go for others", func() bool { return s.Bounds().Evicted > 5 })
	small := wire.AppendRequest(nil, remoting.CodeHeartbeat, 1, 0, nil,
		[]byte(`{"clientID":"a","consumerDataSet":[{"groupName":"billing"}]}`))
	good := s.from(1)
	_, err := good.Write(small)
	require.NoError(t, err)
	s.well(20_000)
	s.until("a small one is kept", func() bool { return len(s.clients.registry.membersOf("billing")) == 1 })
	assert.Less(t, s.grown(), int64(testMemory))
}

// Clients that ask for much and don't read it.
func TestWhoDoesNotReadGoesForOthers(t *testing.T) {
	body := bytes.Repeat([]byte{'x'}, 8<<20)
	s := share(t, func(f *wire.Frame) *wire.Reply {
		if f.Code == remoting.CodePull {
			return &wire.Reply{Body: body}
		}
		return &wire.Reply{}
	})
	for i := range 40 {
		writes(s.from(2+byte(i%4)), wire.AppendRequest(nil, remoting.CodePull, 1, 0, []string{"topic", "unknown"}, nil))
	}
	s.until("some go for others", func() bool { return s.Bounds().Evicted > 5 })
	s.well(1000)
	s.well(100_000)
	assert.Less(t, s.Bounds().Held, int64(testMemory))
}

func TestABodyThatHoldsTooMuchIsRefusedBeforeItIsRead(t *testing.T) {
	s := share(t, fine)
	conn := s.from(1)
	in := wire.NewReader(conn)
	var f wire.Frame
	for code, body := range map[int]string{remoting.CodeHeartbeat: `{"clientID":"a","consumerDataSet":[%s{}]}`, remoting.CodeLock: `{"consumerGroup":"a","mqSet":[%s{}]}`} {
		raw := wire.AppendRequest(nil, code, 1, 0, nil, fmt.Appendf(nil, body, strings.Repeat("{},", 1_300_000)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := conn.Write(raw)
		require.NoError(t, err)
		require.NoError(t, in.Next(&f))
		runtime.ReadMemStats(&after)
		assert.NotEqual(t, remoting.Success, f.Code)
		assert.Contains(t, string(f.Remark), "250000 elements")
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(5*len(raw)), "bytes")
	}
	assert.EqualValues(t, 2, s.Bounds().Reached["bodies"])
	s.until("nothing is held", func() bool { return s.Bounds().Held <= 2*usualFrames })
}

// usualFrames is what the last frames of a few connections may hold.
const usualFrames = 16 << 20

// What a body of so many elements takes while it is read is less than was taken for it.
func TestWhatABodyTakesIsCounted(t *testing.T) {
	for name, body := range map[string]string{
		"memberships": `{"clientID":"a","consumerDataSet":[` + strings.Repeat(`{"groupName":"g"},`, bodies.MostMemberships-1) + `{"groupName":"g"}]}`,
		"names":       `{` + manyNames(bodies.MostElements-10) + `"clientID":"a"}`,
		"stock":       stockBeat(1000, 10),
	} {
		var f wire.Frame
		require.NoError(t, f.Parse(wire.AppendRequest(nil, remoting.CodeHeartbeat, 1, 0, nil, []byte(body))))
		require.LessOrEqual(t, bodies.Elements(f.Body), bodies.MostElements, name)
		require.LessOrEqual(t, len(f.Bytes()), mostBeat, name)
		most := bodies.CostToRead(len(f.Bytes()), bodies.Elements(f.Body))
		before := heap()
		says, err := bodies.ParseHeartbeat(f.Body)
		require.NoError(t, err)
		kept := int64(heap()) - int64(before)
		assert.Less(t, kept, int64(bodies.CostOf(len(f.Bytes()), says)), "what is kept of %s", name)
		assert.Less(t, bodies.CostOf(len(f.Bytes()), says), most, name)
		runtime.KeepAlive(says)
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	return b.String()
}

// stockBeat is what a stock client with so many groups of so many topics says.
func stockBeat(groups, topics int) string {
	var all []string
	for g := range groups {
		var of []string
		for i := range topics {
			of = append(
				of,
				fmt.Sprintf(
					`{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1700000000000,"tagsSet":[],"topic":"a-topic-of-some-length-%d"}`,
					i,
				),
			)
		}
		all = append(
			all,
			fmt.Sprintf(
				`{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"a-group-of-some-length-%d","messageModel":"CLUSTERING","subscriptionDataSet":[%s],"unitMode":false}`,
				g,
				strings.Join(of, ","),
			),
		)
	}
	return `{"clientID":"10.0.0.1@4711#123456789","consumerDataSet":[` + strings.Join(all,
		",") + `],"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}]}`
}

// A client that doesn't read what it asks for, whose calls are lost all at once: one goroutine
// answers them, however many they are.
func TestLostCallsTakeOneGoroutine(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return false }))
	g.clients.admission.budget = memory.New(testMemory)
	s, client := g.connect(t)
	up, err := s.upstream(s.port.Dest)
	require.NoError(t, err)
	const calls = 1000
	for range calls {
		s.enter(call{code: remoting.CodePull, up: up})
	}
	before := runtime.NumGoroutine()
	g.moved(t) // a broker of the target is there, so that the client stays
	_ = up.conn.Close()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		late := func(one owed) bool { return time.Now().Before(one.due) }
		return len(s.open) == 0 && s.debts.paying && !slices.ContainsFunc(s.debts.all, late)
	}, patience, time.Millisecond, "all are due")
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+1, "goroutines")
	in := wire.NewReader(client)
	var f wire.Frame
	for range calls {
		require.NoError(t, in.Next(&f))
		assert.Equal(t, remoting.PullRetryImmediately, f.Code)
	}
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.debts.paying
	}, patience, time.Millisecond, "it has ended")
}

// moved makes something be on the target: then clients live on without a broker.
func (g *Gateway) moved(t *testing.T) {
	t.Helper()
	g.table.MoveHome(g.table.QueueFor("moved", "broker-a", 0), routing.Target, 0)
}

// A client that asks without end isn't read any more when there is no memory for its calls; what it
// took comes back when they are answered.
func TestOpenCallsTakeMemory(t *testing.T) {
	s := share(t, func(*wire.Frame) *wire.Reply { return nil })
	conn := s.from(2)
	var raw []byte
	const calls = 4000
	for opaque := range int32(calls) {
		raw = wire.AppendRequest(raw, remoting.CodeRunningInfo, opaque, 0, nil, nil)
	}
	writes(conn, raw)
	s.until("all are open", func() bool { return s.asked.Load() == calls })
	one := s.clients.registry.all()[0]
	assert.EqualValues(t, (4096-freeCalls)*perCall, one.memory.Held())
	one.takeAll(func(call) bool { return true })
	one.lessForCalls()
	assert.Zero(t, one.memory.Held())
	for range calls { // a number of calls at which the table is as full as before
		one.lessForCalls()
	}
	one.mu.Lock()
	assert.Equal(t, freeCalls, one.mayOpen)
	one.mu.Unlock()

	full := s.clients.admission.budget.Enter(netip.AddrFrom4([4]byte{127, 0, 0, 3}), func(int64) {})
	require.NoError(t, full.Take(testMemory/4*3-calls*perCall))
	writes(s.from(3), raw)
	s.until("it waits", func() bool { return s.Bounds().Waiting > 0 })
	assert.Less(t, s.asked.Load(), int64(2*calls))
	full.Leave()
	s.until("it goes on", func() bool { return s.asked.Load() == 2*calls })
}

// Whatever ends a session, and whatever it was about: everything comes back.
func TestWhatSessionsTakeComesBack(t *testing.T) {
	s := share(t, func(f *wire.Frame) *wire.Reply {
		switch f.Opaque % 3 {
		case 0:
			return &wire.Reply{Code: remoting.SystemError}
		case 1:
			return &wire.Reply{Body: make([]byte, 20_000)}
		}
		return nil
	})
	v := s.table.Groups.Get([]byte("faulty")).Of(s.table.Topics.Get([]byte("orders")).All()[0])
	s.table.MoveView(
		v,
		routing.ViewState{Side: routing.Target},
	) // without a lane: pulls of this group bring a fault out
	var all sync.WaitGroup
	for i := range 60 {
		conn := s.from(byte(1 + i%5))
		all.Go(func() {
			defer conn.Close()
			if i%2 == 0 {
				go func() { _, _ = io.Copy(io.Discard, conn) }()
			}
			for n := range int32(40) {
				_ = conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
				if _, err := conn.Write(someRequest(i, n)); err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	_, err := s.from(9).Write(faultyPull(1))
	require.NoError(t, err)
	s.until("there are faults", func() bool { return s.clients.figures.panics.Load() > 0 })
	s.returned()
}

// faultyPull is a pull of the group that brings a fault out.
func faultyPull(opaque int32) []byte {
	return wire.AppendRequest(nil, remoting.CodePull, opaque, 0, []string{
		"topic", "orders", "queueId", "0", "consumerGroup", "faulty", "queueOffset", "0", "sysFlag", "0",
	}, nil)
}

// someRequest is the n-th request of a client.
func someRequest(client int, n int32) []byte {
	switch (client + int(n)) % 6 {
	case 0:
		return wire.AppendRequest(nil, remoting.CodeHeartbeat, n, 0, nil, longBeat(fmt.Sprint(client, "-", n), 50_000))
	case 1:
		return sendFrame(n, 100_000)
	case 2:
		return wire.AppendRequest(nil, remoting.CodeUnregister, n, 0, []string{"clientID", "x"}, nil)
	case 3:
		return wire.AppendRequest(
			nil,
			remoting.CodeLock,
			n,
			0,
			nil,
			[]byte(
				`{"consumerGroup":"billing","clientId":"x","mqSet":[{"topic":"orders","brokerName":"broker-a","queueId":0}]}`,
			),
		)
	case 4:
		if n > 30 && client%7 == 0 {
			return faultyPull(n)
		}
		if n > 35 && client%5 == 0 {
			return begunFrame(20_000)
		}
	}
	return wire.AppendRequest(nil, remoting.CodePull, n, 0, []string{"topic", "unknown"}, nil)
}

func TestNameServersAreAskedInShort(t *testing.T) {
	assert.Equal(t, longestForNames, (&port{names: true}).longestFrame())
	raw := wire.AppendRequest(nil, remoting.CodeRoute, 1, 0, nil, make([]byte, longestForNames))
	in := wire.NewReader(bytes.NewReader(raw))
	in.Bound((*memory.Holder)(nil), longestForNames)
	require.ErrorIs(t, in.Next(&wire.Frame{}), wire.ErrFrame)
}

// BenchmarkParseBeat is what the longest heartbeats cost.
func BenchmarkParseBeat(b *testing.B) {
	for name, body := range map[string]string{"names": `{` + manyNames(bodies.MostElements-10) + `"clientID":"a"}`, "stock": stockBeat(1000, 10)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				_, _ = bodies.ParseHeartbeat([]byte(body))
			}
		})
	}
}
