package gateway

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// A gateway dials servers where it is told that they are reached, those of each side alone.
func TestServersAreDialledWhereTheyAreReached(t *testing.T) {
	const advertised = "192.0.2.7:10911"
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	both, err := Config{TargetAt: rocketmq.Addresses{advertised: listener.Addr().String()}}.dialers()
	require.NoError(t, err)
	assert.Nil(t, both[routing.Source], "as addresses say")
	ctx, cancel := context.WithTimeout(t.Context(), dialTimeout)
	defer cancel()
	for _, addr := range []string{advertised, listener.Addr().String()} {
		conn, err := both[routing.Target](ctx, addr)
		require.NoError(t, err)
		assert.Equal(t, listener.Addr().String(), conn.RemoteAddr().String())
		_ = conn.Close()
	}
}
