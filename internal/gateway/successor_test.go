//go:build unix

package gateway

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// serving is a gateway before a broker that another one may succeed, and a client with a connection
// to its port.
type serving struct {
	*testing.T
	gateway *Gateway
	broker  *standIn
	client  net.Conn
	in      *wire.Reader
}

func newServing(t *testing.T) *serving {
	t.Helper()
	s := &serving{T: t, broker: newStandIn(t, func(int) bool { return true })}
	s.broker.answer(remoting.CodeRunningInfo, wire.Reply{})
	s.broker.answer(remoting.CodeHeartbeat, wire.Reply{})
	s.gateway = inFolder(t, s.broker, t.TempDir(), nil)
	var err error
	s.gateway.handover.folder, err = lockFolder(s.gateway.config.Dir)
	require.NoError(t, err)
	s.gateway.clients.ports.accept(s.gateway.clients)
	s.gateway.awaitSuccessor()
	s.client = s.connect()
	s.in = wire.NewReader(s.client)
	return s
}

// inFolder is a gateway with a folder and a port, maybe the predecessor's.
func inFolder(t *testing.T, b *standIn, dir string, from *Predecessor) *Gateway {
	t.Helper()
	g := before(t, b)
	g.config.Dir, g.config.Listen, g.config.Advertise = dir, "127.0.0.1", "127.0.0.1"
	g.clients.ports.passed = from.clientListeners()
	require.NoError(t, g.clients.ports.listen(g.clients, routing.Dest{Side: routing.Source, Broker: "broker-a"}, 0))
	t.Cleanup(g.clients.ports.close)
	var err error
	g.state, err = store.Open(dir)
	require.NoError(t, err)
	return g
}

func (s *serving) connect() net.Conn {
	s.Helper()
	client, err := net.Dial("tcp", s.gateway.clients.ports.all[0].listener.Addr().String())
	require.NoError(s, err)
	s.Cleanup(func() { _ = client.Close() })
	return client
}

func (s *serving) write(b []byte) {
	s.Helper()
	_, err := s.client.Write(b)
	require.NoError(s, err)
}

// answered is the code of the answer to a request, which must come next.
func (s *serving) answered(opaque int32) int {
	s.Helper()
	require.NoError(s, s.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(s, s.in.Next(&f))
	require.Equal(s, opaque, f.Opaque)
	return f.Code
}

func asks(opaque int32) []byte {
	return wire.AppendRequest(nil, remoting.CodeRunningInfo, opaque, 0, nil, nil)
}

func pulls(opaque int32) []byte {
	return wire.AppendRequest(nil, remoting.CodePull, opaque, 0,
		[]string{"consumerGroup", "billing", "topic", "orders", "queueId", "0", "queueOffset", "5", "sysFlag", "2"},
		nil)
}

const oneMember = `{"clientID":"one","consumerDataSet":[{"groupName":"billing","messageModel":"CLUSTERING"}],"producerDataSet":[]}`

func beats(opaque int32) []byte {
	return wire.AppendRequest(nil, remoting.CodeHeartbeat, opaque, 0, nil, []byte(oneMember))
}

// inTheMiddle has the client say who it is, ask what the broker doesn't answer, and begin a frame.
// It returns the rest of that, and the broker's end of the connection.
func (s *serving) inTheMiddle(length int) (rest []byte, conn net.Conn) {
	s.Helper()
	s.write(beats(1))
	require.Equal(s, remoting.Success, s.answered(1))
	s.broker.next(s.T)
	s.write(pulls(2))
	conn = s.broker.next(s.T).conn
	frame := wire.AppendRequest(nil, remoting.CodeRunningInfo, 3, 0, nil, make([]byte, length))
	s.write(frame[:len(frame)/2])
	return frame[len(frame)/2:], conn
}

// A client sees nothing of a restart: what it has begun to write, another process reads to its end,
// and what the broker had not answered, it asks again.
func TestAnotherProcessTakesOverInTheMiddleOfFrames(t *testing.T) {
	for _, length := range []int{100, 100_000} {
		t.Run(fmt.Sprint(length, " bytes"), func(t *testing.T) {
			s := newServing(t)
			rest, conn := s.inTheMiddle(length)
			from, err := Succeed(s.gateway.config.Dir)
			require.NoError(t, err)
			next := inFolder(t, s.broker, s.gateway.config.Dir, from)
			next.handover.folder = from.lock
			require.NoError(t, next.takeFrom(from))
			<-s.gateway.Succeeded()
			require.Equal(t, remoting.PullRetryImmediately, s.answered(2))
			s.write(rest)
			require.Equal(t, remoting.Success, s.answered(3))
			asked := s.broker.next(t)
			assert.Equal(t, conn, asked.conn, "over the same connection: to the broker nothing has changed")
			assert.Equal(t, s.gateway.clients.opaques.last.Load()+1, uint32(asked.opaque),
				"the broker may still answer what the other process has asked")
			assert.Equal(t, s.gateway.clients.ports.all[0].number(), next.clients.ports.all[0].number())
			assert.Empty(t, s.gateway.clients.registry.all())
			clients := next.clientsHere()
			require.Contains(t, clients, "one")
			assert.Len(t, next.clients.registry.membersOf("billing"), 1)
			require.ErrorContains(
				t,
				s.gateway.save(),
				"another process",
				"who doesn't serve any more decides nothing",
			)
			next.clients.ports.accept(next.clients)
			s.gateway = next
			s.client = s.connect() // which the new process accepts
			s.in = wire.NewReader(s.client)
			s.write(asks(9))
			require.Equal(t, remoting.Success, s.answered(9))
		})
	}
}

// A connection that can't pass, such as one over TLS, is closed: its client connects again, and its
// broker sees the connection that knows it live on.
func TestAClientWhoseConnectionCantPassStaysRegistered(t *testing.T) {
	s := newServing(t)
	here, there := pipe(t)
	one := s.gateway.clients.open(s.gateway.clients.ports.all[0], here, s.gateway.clients.enter(here))
	s.gateway.running.Go(func() { one.serve(nil) })
	s.client, s.in = there, wire.NewReader(there)
	s.write(beats(1))
	require.Equal(t, remoting.Success, s.answered(1))
	conn := s.broker.next(t).conn
	from, err := Succeed(s.gateway.config.Dir)
	require.NoError(t, err)
	next := inFolder(t, s.broker, s.gateway.config.Dir, from)
	next.handover.folder = from.lock
	require.NoError(t, next.takeFrom(from))
	<-s.gateway.Succeeded()
	_, err = there.Read(make([]byte, 1))
	require.Error(t, err, "it was closed")
	require.Contains(t, next.clientsHere(), "one")

	next.clients.ports.accept(next.clients)
	s.gateway = next
	s.client = s.connect()
	s.in = wire.NewReader(s.client)
	s.write(beats(2))
	require.Equal(t, remoting.Success, s.answered(2))
	assert.Equal(t, conn, s.broker.next(t).conn)
}

// A process that ends while it takes over changes nothing, wherever it had got to.
func TestAProcessThatFailsToTakeOverChangesNothing(t *testing.T) {
	says := func(line connections.PassLine) { require.NoError(t, line.Say(goOnWord)) }
	takes := func(line connections.PassLine) passedSession {
		var is passedSession
		files, err := line.Receive(&is)
		require.NoError(t, err)
		for _, file := range files {
			_ = file.Close()
		}
		return is
	}
	for name, gets := range map[string]func(connections.PassLine){
		"listeners":    func(connections.PassLine) {},
		"asked":        says,
		"a session":    func(l connections.PassLine) { says(l); takes(l) },
		"all sessions": func(l connections.PassLine) { says(l); takes(l); require.Empty(t, takes(l).Broker) },
		"a wrong word": func(l connections.PassLine) { says(l); takes(l); takes(l); require.NoError(t, l.Say('x')) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServing(t)
			rest, conn := s.inTheMiddle(100)
			from, err := Succeed(s.gateway.config.Dir)
			require.NoError(t, err)
			gets(from.line)
			from.Close()
			s.write(rest)
			if name != "listeners" && name != "asked" { // else it depends on what comes first
				require.Equal(t, remoting.PullRetryImmediately, s.answered(2))
				require.Equal(t, remoting.Success, s.answered(3))
				assert.Equal(t, conn, s.broker.next(t).conn)
			}
			require.Eventually(t, func() bool {
				round, _ := s.gateway.rounds.UnderWay()
				return round == "" && !s.gateway.state.IsFrozen()
			}, patience, time.Millisecond, "moves are possible again")
			require.NoError(t, s.gateway.save())
			s.client = s.connect()
			s.in = wire.NewReader(s.client)
			s.write(asks(9))
			require.Equal(t, remoting.Success, s.answered(9))
			select {
			case <-s.gateway.Succeeded():
				t.Fatal("nobody has taken over")
			default:
			}
		})
	}
}

// A member that isn't back since a restart stays registered, by the connection that its heartbeats
// go over when it is.
func TestAClientStaysRegisteredUntilItIsBack(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.gateway.config.Listen = "127.0.0.1"
	require.NoError(
		t,
		g.gateway.clients.ports.listen(g.gateway.clients, routing.Dest{Side: routing.Source, Broker: "broker-a"}, 0),
	)
	t.Cleanup(g.gateway.clients.ports.close)
	g.session.port = g.gateway.clients.ports.all[0]
	beat := beats(7)
	g.gateway.clients.registerAgain(t.Context(), registrations{[]registration{
		{"broker-a", "192.0.2.1:1", beat},
		{
			"broker-a",
			"192.0.2.2:1",
			wire.AppendRequest(nil, remoting.CodeHeartbeat, 1, 0, nil, []byte(`{"clientID":"gone"}`)),
		},
		{"broker-x", "192.0.2.3:1", beat},
		{"broker-a", "192.0.2.4:1", []byte("no frame")},
	}})
	both := []standInFrame{g.source.next(t), g.source.next(t)}
	require.Contains(t, g.gateway.clientsHere(), "one")
	require.Contains(t, g.gateway.clientsHere(), "gone")

	notify := wire.AppendRequest(nil, remoting.CodeNotifyMembers, 5, wire.FlagOneWay,
		[]string{"consumerGroup", "billing"}, nil)
	for _, registered := range both {
		require.Equal(t, remoting.CodeHeartbeat, registered.code)
		_, err := registered.conn.Write(notify) // which the client would have missed
		require.NoError(t, err)
	}
	one := g.gateway.clients.registry.returning.byClient["one"][0]
	by := one.ups[one.port.Dest].conn.LocalAddr().String()
	require.Eventually(t, func() bool {
		one.mu.Lock()
		defer one.mu.Unlock()
		return len(one.missed) == 1
	}, patience, time.Millisecond)

	g.request(remoting.CodeHeartbeat, 0, unsignedBy, nil, oneMember)
	var f wire.Frame
	require.NoError(t, g.in.Next(&f))
	assert.Equal(t, remoting.CodeNotifyMembers, f.Code)
	code, _ := g.answer()
	require.Equal(t, remoting.Success, code)
	assert.Equal(t, by, g.source.next(t).conn.RemoteAddr().String(), "its broker sees the connection that it knows")
	assert.NotContains(t, g.gateway.clients.registry.returning.byClient, "one")

	g.gateway.clients.expectNoMore()
	assert.NotContains(t, g.gateway.clientsHere(), "gone")
	assert.Contains(t, g.gateway.clientsHere(), "one")
}

// Nobody takes a member's place by its name: who signs with another key, or with one that only the
// broker can verify and otherwise than before.
func TestWhoIsntTheClientDoesntGetItsRegistration(t *testing.T) {
	sign := func(by signing, body string) []byte {
		var f wire.Frame
		require.NoError(t, f.Parse(wire.AppendRequest(nil, remoting.CodeHeartbeat, 7, 0, nil, []byte(body))))
		if by.secret != "" {
			f.Sign(by.key, by.secret)
		}
		return append(f.AppendHead(nil), f.Body...)
	}
	other, forged := signing{"stranger", "guessed", ""}, signing{appKey, "guessed", ""}
	for name, c := range map[string]struct {
		kept, comes signing
		gets, keys  bool
	}{
		"itself":                               {rightly, rightly, true, true},
		"without signature":                    {rightly, unsignedBy, false, true},
		"another key":                          {rightly, stranger, false, true},
		"a key of the broker's alone":          {stranger, stranger, true, true},
		"and one that signs otherwise":         {stranger, other, false, true},
		"itself, no file of keys":              {rightly, rightly, true, false},
		"who signs otherwise, no file of keys": {rightly, forged, false, false},
		"another key, no file of keys":         {rightly, stranger, false, false},
		"nobody signs, no file of keys":        {unsignedBy, unsignedBy, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, appKeys)
			if !c.keys {
				g.gateway.clients.keys.File = ""
				g.gateway.clients.keys.Current.Store(nil)
			}
			g.gateway.clients.ports.all = []*port{g.session.port}
			g.gateway.clients.registerAgain(t.Context(),
				registrations{[]registration{{"broker-a", "192.0.2.1:1", sign(c.kept, oneMember)}}})
			if !c.gets {
				g.source.answer(remoting.CodeHeartbeat,
					wire.Reply{Code: remoting.SystemError, Remark: "Check signature failed"})
			}
			g.request(remoting.CodeHeartbeat, 0, c.comes, nil, oneMember)
			code, _ := g.answer()
			require.Equal(t, !c.gets, code == remoting.SystemError)
			assert.Equal(t, c.gets, g.gateway.clients.registry.returning.byClient["one"] == nil)
			g.session.mu.Lock()
			assert.Equal(t, c.gets, g.session.client != "", "the member's identity")
			g.session.mu.Unlock()
			g.gateway.clients.expectNoMore()
		})
	}
}

// What clients there are is kept where a process that is killed has written it last, and believed
// for a minute.
func TestRegistrationsAreKept(t *testing.T) {
	s := newServing(t)
	s.gateway.running.Go(s.gateway.clients.keepRegistrations)
	s.write(beats(1))
	require.Equal(t, remoting.Success, s.answered(1))
	dir := s.gateway.config.Dir
	kept := func() (all []registration) {
		is, err := readRegistrations(dir, 1<<20)
		require.NoError(t, err)
		return is.Clients
	}
	require.Eventually(t, func() bool { return len(kept()) == 1 }, patience, time.Millisecond)
	assert.Equal(t, "broker-a", kept()[0].Broker)
	assert.Equal(t, beats(1), kept()[0].Beat)
	_ = s.client.Close()
	require.Eventually(t, func() bool { return len(kept()) == 0 }, patience, time.Millisecond)
}

// What can't be taken over leaves nothing behind: no session, no memory, no place among the
// connections.
func TestWhatCannotBeInstalledLeavesNothing(t *testing.T) {
	s := newServing(t)
	g := inFolder(t, s.broker, t.TempDir(), nil)
	here, _ := pipe(t)
	for name, is := range map[string]passedSession{
		"no heartbeat":       {Broker: "broker-a", Frames: 1, Beat: []byte("none")},
		"no connection":      {Broker: "broker-a", Frames: 1, Beat: beats(1), Servers: []passedServer{{Side: "source", Broker: "broker-a"}}},
		"no side":            {Broker: "broker-a", Frames: 1, Servers: []passedServer{{Side: "sauce", Broker: "broker-a"}}},
		"absent, and no one": {Broker: "broker-a", Absent: true, Beat: []byte("none")},
	} {
		_, err := g.install(is, []net.Conn{here})
		require.Error(t, err, name)
		assert.Empty(t, g.clients.registry.all(), name)
		assert.Zero(t, g.clients.admission.limiter.Taken, name)
	}
}
