package gateway

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq/remoting"
)

// A fault that one client's frames bring out ends that client's connection: it is logged with the
// frame's code, and others go on.
func TestAFaultOfTheGatewayEndsOneConnectionAlone(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.gateway.logsTo(labtest.Log(t, "the gateway"))
	v := g.queue(routing.Target)
	v.Queue.SetLane(nil) // as no gateway should be: it must know where the target's replica lies
	_, other := g.gateway.connect(t)

	r := requests()[remoting.CodePull]
	g.request(remoting.CodePull, 0, unsignedBy, r.fields, r.body)
	_, err := g.client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Eventually(t, func() bool { return g.gateway.clients.figures.panics.Load() == 1 }, patience, time.Millisecond,
		"it is counted") // the connection is closed before

	g.client, g.in = other, wire.NewReader(other)
	r = requests()[remoting.CodeHeartbeat]
	g.request(remoting.CodeHeartbeat, 0, unsignedBy, nil, r.body)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is, "another client goes on")
}

// So does one that a send brings out which has waited in a hold: nobody else's waits longer.
func TestAFaultOfTheGatewayBehindAHoldEndsOneConnectionAlone(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.gateway.logsTo(labtest.Log(t, "the gateway"))
	v := g.queue(routing.Target)
	other := g.gateway.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 1)
	h := g.gateway.holdAll([]*routing.Queue{v.Queue, other})
	for range 3 {
		g.request(remoting.CodeSendV2, 0, unsignedBy, requests()[remoting.CodeSendV2].fields, "body")
	}
	_, theirs := g.gateway.connect(t)
	_, err := theirs.Write(wire.AppendRequest(nil, remoting.CodeSendV2, 1, 0, []string{"b", "orders", "e", "1"}, nil))
	require.NoError(t, err)
	held := func() int64 { return g.gateway.clients.figures.counts.HeldSends.Load() }
	require.Eventually(t, func() bool { return held() == 4 }, patience, time.Millisecond)

	v.Queue.SetLane(nil) // as no gateway should be
	h.release()
	_, err = g.client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, remoting.CodeSendV2, g.source.next(t).code, "another client's send goes on")
	require.Eventually(t, func() bool { return g.gateway.clients.figures.panics.Load() == 1 && held() == 0 },
		patience, time.Millisecond, "nothing is held any more")
	require.Eventually(t, func() bool { return v.Queue.Hold() == nil }, patience, time.Millisecond)
}

// A fault while a group is looked at keeps nobody else from it.
func TestAFaultOfTheGatewayLeavesNoGroupLocked(t *testing.T) {
	for _, code := range []int{remoting.CodePull, remoting.CodeQueryOffset, remoting.CodeUpdateOffset} {
		g := newGuarded(t, "applications: []")
		g.gateway.clients.keys.File = ""
		g.gateway.logsTo(labtest.Log(t, "the gateway"))
		v := g.queue(routing.Target)
		v.Queue.SetLane(nil)
		r := requests()[code]
		g.request(code, 0, unsignedBy, r.fields, r.body)
		require.Eventually(t, func() bool { return g.gateway.clients.figures.panics.Load() == 1 },
			patience, time.Millisecond, "code %d", code)
		require.Equal(t, routing.Target, v.Reads(), "who looks at it doesn't wait for good")
	}
}
