package gateway

import (
	"context"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// While the target stands still, a hundred heartbeats of a client hold one goroutine, and of them
// the target hears the one under way and the last.
func TestHeartbeatsTakeOneGoroutineWhileTheTargetStandsStill(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	dialled, goesOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	g.gateway.sides.Dials[routing.Target] = func(_ context.Context, addr string) (net.Conn, error) {
		once.Do(func() { close(dialled) })
		<-goesOn
		return net.Dial("tcp", addr)
	}
	beat := func() {
		g.request(remoting.CodeHeartbeat, 0, rightly, nil, requests()[remoting.CodeHeartbeat].body)
		is, remark := g.answer()
		require.Equal(t, remoting.Success, is, remark)
	}
	beat()
	<-dialled
	before := runtime.NumGoroutine()
	const beats, others = 100, 10 // others: goroutines that have nothing to do with it, such as timers'
	for range beats {
		beat()
	}
	assert.Less(t, runtime.NumGoroutine(), before+others)
	close(goesOn)
	for range 2 {
		require.Equal(t, remoting.CodeHeartbeat, g.target.next(t).code)
	}
	require.Eventually(t, func() bool {
		g.session.mu.Lock()
		defer g.session.mu.Unlock()
		return !g.session.mirrored.busy
	}, patience, time.Millisecond)
	assert.Empty(t, g.target.got, "no more than these")
}
