//go:build linux

package gateway

import (
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// killable is a gateway as a process between a client and a broker, which are stand-ins.
type killable struct {
	*rig
	broker  *standIn
	process *gatewayProcess
}

func newKillable(t *testing.T) *killable {
	t.Helper()
	all := func(int) bool { return true }
	names, broker := newStandIn(t, all), newStandIn(t, all)
	names.answer(remoting.CodeClusterInfo, wire.Reply{Body: fmt.Appendf(nil, `{"brokerAddrTable":{`+
		`"broker-a":{"brokerAddrs":{0:%q},"brokerName":"broker-a","cluster":"C"}}}`, broker.Addr())})
	broker.answer(codeRuntime, wire.Reply{Body: []byte(`{"table":{"brokerVersionDesc":"V4_9_7"}}`)})
	broker.answer(codeTopicConfigs, wire.Reply{Body: []byte(`{"topicConfigTable":{"orders":` +
		`{"topicName":"orders","readQueueNums":2,"writeQueueNums":2,"perm":6}}}`)})
	broker.answer(remoting.CodeHeartbeat, wire.Reply{})
	broker.answer(remoting.CodeRunningInfo, wire.Reply{})
	k := &killable{rig: &rig{T: t, ctx: t.Context(), seen: &seen{}}, broker: broker}
	k.config = Config{
		Name: "killed", Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: t.TempDir(),
		NameServers: []string{names.Addr().String()}, KeepConnections: true,
	}
	k.process = k.spawn()
	return k
}

// client is one that is connected to the port that stands for the broker.
func (k *killable) client() *serving {
	k.Helper()
	at := fmt.Sprint("127.0.0.1:", keptIn(k.T, k.config.Dir).Ports["broker-a"])
	conn, err := net.Dial("tcp", at)
	require.NoError(k, err)
	k.Cleanup(func() { _ = conn.Close() })
	return &serving{T: k.T, broker: k.broker, client: conn, in: wire.NewReader(conn)}
}

// closed wants the client to see the end of its connection.
func (s *serving) closed(why string) {
	s.Helper()
	require.NoError(s, s.client.SetReadDeadline(time.Now().Add(patience)))
	_, err := s.client.Read(make([]byte, 1))
	require.Error(s, err, why)
	require.NotErrorIs(s, err, os.ErrDeadlineExceeded, why)
}

// until waits for a request to the broker.
func (k *killable) until(code int) standInFrame {
	k.Helper()
	for {
		if f := k.broker.next(k.T); f.code == code {
			return f
		}
	}
}

// A kill of the gateway closes no connection of a client that waits for pulls alone: the next
// process tells it to ask again, and brokers know it before. All others are closed at once.
func TestClientsThatWaitForPullsStayWhenTheGatewayIsKilled(t *testing.T) {
	k := newKillable(t)
	member, idle, begun, sends := k.client(), k.client(), k.client(), k.client()
	member.write(beats(1))
	require.Equal(t, remoting.Success, member.answered(1))
	for opaque := range int32(3) {
		member.write(pulls(opaque + 2))
		k.until(remoting.CodePull)
	}
	idle.write(asks(1))
	require.Equal(t, remoting.Success, idle.answered(1))
	begun.write(asks(1)[:20])
	sends.write(sendFrame(1, 10))
	k.until(remoting.CodeSendV2)
	require.Eventually(t, func() bool {
		is, err := readRegistrations(k.config.Dir, 1<<20)
		return err == nil && len(is.Clients) == 1
	}, patience, time.Millisecond)

	k.process.kill()
	begun.closed("a frame is half read")
	sends.closed("a send is under way")
	member.write(asks(9)) // while there is no gateway
	k.process = k.spawn()
	served := time.Now()
	again := map[int32]int{}
	for range 4 {
		opaque, code := member.next()
		again[opaque] = code
	}
	assert.Less(t, time.Since(served), time.Second)
	pullAgain := remoting.PullRetryImmediately
	assert.Equal(t, map[int32]int{2: pullAgain, 3: pullAgain, 4: pullAgain, 9: remoting.Success}, again)
	k.until(remoting.CodeHeartbeat)
	idle.write(asks(2))
	require.Equal(t, remoting.Success, idle.answered(2))
	member.write(pulls(10))
	k.until(remoting.CodePull)

	k.process.kill() // the next one's connections are kept as well
	k.process = k.spawn()
	require.Equal(t, remoting.PullRetryImmediately, member.answered(10))

	require.NoError(t, k.process.Process.Signal(syscall.SIGTERM))
	member.closed("the gateway has ended in good order")
	<-k.process.ended
	taken, err := keeper.Take(keeperIn(k.config.Dir))
	require.NoError(t, err)
	assert.Nil(t, taken, "and its keeper with it")
}

// next is the number and the code of the next answer.
func (s *serving) next() (opaque int32, code int) {
	s.Helper()
	require.NoError(s, s.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(s, s.in.Next(&f))
	return f.Opaque, f.Code
}

// Who switches it off has connections end with the process, and those of before at once.
func TestConnectionsEndWithTheGatewayWhereTheyArentKept(t *testing.T) {
	k := newKillable(t)
	member := k.client()
	member.write(beats(1))
	require.Equal(t, remoting.Success, member.answered(1))
	k.process.kill()
	k.config.KeepConnections = false
	k.process = k.spawn()
	member.closed("it was kept, and isn't wanted")
	member = k.client()
	member.write(beats(1))
	require.Equal(t, remoting.Success, member.answered(1))
	k.process.kill()
	member.closed("it isn't kept")
}

// Another process takes over in good order what is kept, and keeps it from then on.
func TestKeptConnectionsPassToAnotherProcess(t *testing.T) {
	k := newKillable(t)
	member := k.client()
	member.write(beats(1))
	require.Equal(t, remoting.Success, member.answered(1))
	member.write(pulls(2))
	k.until(remoting.CodePull)
	rest := asks(3)
	member.write(rest[:20])
	next := k.spawn()
	<-k.process.ended
	require.Equal(t, remoting.PullRetryImmediately, member.answered(2))
	member.write(rest[20:])
	require.Equal(t, remoting.Success, member.answered(3))
	member.write(pulls(4))
	k.until(remoting.CodePull)
	next.kill()
	k.process = k.spawn()
	require.Equal(t, remoting.PullRetryImmediately, member.answered(4))
}

// A process that begins to take over and fails leaves everything as kept as it was.
func TestAProcessThatFailsToTakeOverLeavesConnectionsKept(t *testing.T) {
	for name, fails := range map[string]func(connections.PassLine){
		"at once": func(connections.PassLine) {},
		"when a session came": func(l connections.PassLine) {
			require.NoError(t, l.Say(goOnWord))
			files, err := l.Receive(new(passedSession))
			require.NoError(t, err)
			for _, file := range files {
				_ = file.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKillable(t)
			member := k.client()
			member.write(beats(1))
			require.Equal(t, remoting.Success, member.answered(1))
			member.write(pulls(2))
			k.until(remoting.CodePull)
			from, err := Succeed(k.config.Dir)
			require.NoError(t, err)
			fails(from.line)
			from.Close()
			_ = from.lock.Close() // it would end with the process
			for _, l := range from.listeners {
				_ = l.Close()
			}
			if name != "at once" {
				require.Equal(t, remoting.PullRetryImmediately, member.answered(2))
			}
			again := k.client() // which is let in when the gateway goes on
			again.write(asks(1))
			require.Equal(t, remoting.Success, again.answered(1))
			member.write(pulls(3))
			k.until(remoting.CodePull)
			k.process.kill()
			k.process = k.spawn()
			for opaque, code := member.next(); opaque != 3; opaque, code = member.next() {
				require.Equal(t, remoting.PullRetryImmediately, code)
			}
		})
	}
}

func TestWhatBecameOfKeptConnectionsIsCounted(t *testing.T) {
	g := idle(t)
	count := func() (n int) {
		all, err := g.Metrics().Gather()
		require.NoError(t, err)
		for _, one := range all {
			if one.GetName() == "rocketshift_gateway_kept_connections_total" {
				n = len(one.GetMetric())
			}
		}
		return n
	}
	assert.Zero(t, count())
	g.handover.keeping.taken = &keeper.Taken{Closed: map[string]int{"calls open": 2}}
	g.goOnWithKept()
	assert.Equal(t, len(keeper.Reasons())+2, count())
	assert.EqualValues(t, 2, g.handover.kept()["calls open"])
}

// What producers have written while no gateway served for longer than they wait isn't stored, as
// they have sent it again. What they write later is, and so is what nobody sends again.
func TestWhatWasSentWhileNoGatewayServedIsStoredOnce(t *testing.T) {
	for name, c := range map[string]struct {
		away   time.Duration
		late   int   // the answer to what was written meanwhile
		stored []int // what the broker gets
	}{
		"a moment": {time.Second, remoting.Success, []int{
			remoting.CodeSendV2, remoting.CodeRunningInfo, remoting.CodeSendV2, remoting.CodeSendBack,
			remoting.CodeSendV2,
		}},
		"longer than producers wait": {4 * time.Second, remoting.ServiceNotAvailable, []int{
			remoting.CodeRunningInfo, remoting.CodeSendV2, remoting.CodeSendV2,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStandIn(t, func(int) bool { return true })
			for _, code := range []int{remoting.CodeSendV2, remoting.CodeSendBack, remoting.CodeRunningInfo} {
				b.answer(code, wire.Reply{})
			}
			g := before(t, b)
			p := &port{Dest: routing.Dest{Side: routing.Source, Broker: "broker-a"}, broker: []byte("broker-a")}
			g.clients.ports.all = []*port{p}
			here, there := connected(t)
			client := &serving{T: t, broker: b, client: there, in: wire.NewReader(there)}
			oneWay := wire.AppendRequest(nil, remoting.CodeSendV2, 3, remoting.FlagOneWay,
				[]string{"b", "orders", "e", "0"}, []byte("nobody asks"))
			back := wire.AppendRequest(nil, remoting.CodeSendBack, 4, 0,
				[]string{"group", "billing", "offset", "5"}, nil)
			written := slices.Concat(sendFrame(1, 10), asks(2), oneWay, back)
			client.write(written)
			g.handover.keeping.taken = &keeper.Taken{Away: c.away, Found: []keeper.Found{
				{About: keeper.About{Broker: "broker-a"}, Conn: here, Unread: len(written)},
			}}
			g.goOnWithKept()
			answers := map[int32]int{}
			for range 3 {
				opaque, code := client.next()
				answers[opaque] = code
			}
			assert.Equal(t, map[int32]int{1: c.late, 2: remoting.Success, 4: c.late}, answers)
			client.write(sendFrame(5, 10))
			assert.Equal(t, remoting.Success, client.answered(5))
			var stored []int
			for range c.stored {
				stored = append(stored, b.next(t).code)
			}
			assert.Equal(t, c.stored, stored)
		})
	}
}

// connected is a TCP connection's two ends.
func connected(t *testing.T) (here, there net.Conn) {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer at.Close()
	there, err = net.Dial("tcp", at.Addr().String())
	require.NoError(t, err)
	here, err = at.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = here.Close()
		_ = there.Close()
	})
	return here, there
}
