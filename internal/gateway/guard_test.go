package gateway

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab/labtest"
)

// A fault that one client's frames bring out ends that client's connection: it is logged with the frame's code, and others go on.
func TestAFaultOfTheGatewayEndsOneConnectionAlone(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.keys.file, g.gateway.log = "", labtest.Log(t, "the gateway")
	v := g.queue(target)
	v.lane.Store(nil) // as no gateway should be: it must know where the target's replica lies
	_, other := g.gateway.connect(t)

	r := requests()[codePull]
	g.request(codePull, 0, unsignedBy, r.fields, r.body)
	_, err := g.client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Eventually(t, func() bool { return g.gateway.panics.Load() == 1 }, patience, time.Millisecond, "it is counted") // the connection is closed before

	g.client, g.in = other, wire.NewReader(other)
	r = requests()[codeHeartbeat]
	g.request(codeHeartbeat, 0, unsignedBy, nil, r.body)
	is, _ := g.answer()
	require.Equal(t, success, is, "another client goes on")
}
