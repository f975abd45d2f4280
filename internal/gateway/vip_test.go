package gateway

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// standing is a guarded gateway with ports for brokers.
func standing(t *testing.T) *guarded {
	t.Helper()
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.gateway.config.Listen, g.gateway.config.Advertise = "127.0.0.1", "127.0.0.1"
	g.gateway.clients.ports.byAddr = map[string]*port{}
	t.Cleanup(g.gateway.clients.ports.close)
	return g
}

// comesTo connects the client to a port of this machine.
func (g *guarded) comesTo(number int) {
	g.Helper()
	var err error
	g.client, err = net.Dial("tcp", fmt.Sprint("127.0.0.1:", number))
	require.NoError(g, err)
	g.Cleanup(func() { _ = g.client.Close() })
	g.in = wire.NewReader(g.client)
}

// twoFree are a port that is free, and the listener at the one that is 2 below it.
func twoFree(t *testing.T) (number int, below net.Listener) {
	t.Helper()
	at, below, err := (&ports{}).pick("127.0.0.1")
	require.NoError(t, err)
	t.Cleanup(func() { _ = below.Close() })
	number = at.Addr().(*net.TCPAddr).Port
	require.NoError(t, at.Close())
	return number, below
}

// A broker is stood in for at its port minus 2 as well, where old Java clients send.
func TestABrokersVIPChannelIsStoodInForToo(t *testing.T) {
	g := standing(t)
	all := map[string][]string{
		"broker-a": {"10.0.0.1:10911"}, "broker-b": {"10.0.0.2:10911"}, "broker-a#1": {"10.0.0.3:10911"},
	}
	require.NoError(t, g.gateway.clients.ports.ensure(g.gateway.clients, all))
	g.gateway.clients.ports.accept(g.gateway.clients)
	assert.Empty(t, g.gateway.VIPProblems())
	send := requests()[remoting.CodeSendV2]
	for _, distance := range []int{0, vipDistance} {
		g.comesTo(g.gateway.clients.ports.of("broker-a").number() - distance)
		g.request(remoting.CodeSendV2, 0, unsignedBy, send.fields, send.body)
		is, _ := g.answer()
		assert.Equal(t, remoting.Success, is)
		assert.Equal(t, remoting.CodeSendV2, g.source.next(t).code)
	}
	names, listeners := g.gateway.clients.ports.listeners()
	assert.Equal(t, []string{
		"port broker-a", "port vip broker-a", "port broker-a#1", "port vip broker-a#1",
		"port broker-b", "port vip broker-b",
	}, names)

	next := standing(t) // another process takes them over
	passed := &Predecessor{listeners: map[string]net.Listener{}}
	for i, name := range names {
		passed.listeners[name] = listeners[i]
	}
	next.gateway.clients.ports.passed = passed.clientListeners()
	require.NoError(t, next.gateway.clients.ports.ensure(next.gateway.clients, all))
	_, taken := next.gateway.clients.ports.listeners()
	assert.Equal(t, listeners, taken)
}

// A VIP channel that somebody else has hinders nothing, is said with what to do, and is opened as
// soon as it is free.
func TestATakenVIPChannelIsSaidAndTriedAgain(t *testing.T) {
	g := standing(t)
	number, below := twoFree(t)
	g.gateway.config.Ports = map[string]int{"broker-a": number}
	all := map[string][]string{"broker-a": {"10.0.0.1:10911"}}
	require.NoError(t, g.gateway.clients.ports.ensure(g.gateway.clients, all))
	problems := g.gateway.State().VIPProblems
	require.Len(t, problems, 1)
	for _, part := range []string{
		fmt.Sprintf("broker broker-a is at port %d,", number),
		fmt.Sprintf("its VIP channel would be at %d: ", number-2),
		"--port broker-a=", "sendMessageWithVIPChannel=false",
	} {
		assert.Contains(t, problems[0], part)
	}
	of := func(name, problem string) control.State {
		return control.State{Gateway: name, VIPProblems: []string{problem}}
	}
	assert.Equal(t, []string{"gateway one: x", "gateway two: y"},
		control.Sum([]control.State{of("one", "x"), of("two", "y")}).VIPProblems)

	require.NoError(t, below.Close())
	require.NoError(t, g.gateway.clients.ports.ensure(g.gateway.clients, all))
	g.gateway.clients.ports.accept(g.gateway.clients)
	assert.Empty(t, g.gateway.State().VIPProblems)
	g.comesTo(number - vipDistance)
	send := requests()[remoting.CodeSendV2]
	g.request(remoting.CodeSendV2, 0, unsignedBy, send.fields, send.body)
	is, _ := g.answer()
	assert.Equal(t, remoting.Success, is)
}

// A number that is given for one broker is that one's, though it is the VIP channel of another.
func TestTheVIPChannelOfABrokerGivesWayToAnothersPort(t *testing.T) {
	g := standing(t)
	number, below := twoFree(t)
	require.NoError(t, below.Close())
	g.gateway.config.Ports = map[string]int{"broker-a": number, "broker-b": number - vipDistance}
	all := map[string][]string{"broker-a": {"10.0.0.1:1"}, "broker-b": {"10.0.0.2:1"}}
	require.NoError(t, g.gateway.clients.ports.ensure(g.gateway.clients, all))
	assert.Equal(t, number-vipDistance, g.gateway.clients.ports.of("broker-b").number())
	problems := g.gateway.VIPProblems()
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0],
		fmt.Sprintf("VIP channel would be at %d, which stands for broker-b: ", number-2))
}

// What a client has sent by a VIP channel, where it says no id, is of the clients at its address:
// one that can't follow to the target holds up the topics that it writes to.
func TestAClientSharesInWhatItSendsByAVIPChannel(t *testing.T) {
	for _, vip := range []bool{true, false} {
		g := newGuarded(t, appKeys)
		g.queue(routing.Source)
		_, other := g.gateway.connect(t)
		defer other.Close()
		g.request(remoting.CodeHeartbeat, 0, stranger, nil, requests()[remoting.CodeHeartbeat].body)
		_, _ = g.answer()
		session, client := g.gateway.connect(t)
		session.vip.Store(vip)
		g.client, g.in = client, wire.NewReader(client)
		send := requests()[remoting.CodeSendV2]
		g.request(remoting.CodeSendV2, 0, stranger, send.fields, send.body)
		is, _ := g.answer()
		require.Equal(t, remoting.Success, is)
		orders := control.TopicQueue{Topic: "orders", Queue: lane.Queue{Broker: "broker-a"}}
		home := store.Round{Kind: control.KindHome, To: "target", Queues: []control.TopicQueue{orders}}
		_, err := g.gateway.allFit(home)
		if vip {
			require.ErrorContains(t, err, "which shares in orders")
		} else {
			require.NoError(t, err)
		}
	}
}
