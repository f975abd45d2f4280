package gateway

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// fences has no broker give a gateway its lease, and another one be there that could move on.
func fences(g *Gateway) {
	g.lease.Lock = func(context.Context, string) (int, int, error) { return 0, 2, errors.New("broker-b is away") }
	g.lease.Alone = func() bool { return false }
	g.lease.Renew(g.ctx)
}

func TestWithoutALeaseSendsToOrderedTopicsAreRefused(t *testing.T) {
	all, queues := idlePair(t)
	g := all[0]
	fences(g)
	require.True(t, g.State().Fenced)
	client, answers := pipe(t)
	s := newSession(g.clients,
		&port{Dest: routing.Dest{Side: routing.Source, Broker: "broker-a"}, broker: []byte("broker-a")}, client)
	go s.send(frameOf(t, remoting.CodeSendV2), nil)
	var f wire.Frame
	require.NoError(t, wire.NewReader(answers).Next(&f))
	assert.Equal(t, remoting.ServiceNotAvailable, f.Code)
	assert.Contains(t, string(f.Remark), "topic orders is ordered")
	assert.Empty(t, s.open, "nothing was sent to "+queues[0].String())
}
