package gateway

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

func TestWithoutALeaseSendsToOrderedTopicsAreRefused(t *testing.T) {
	all, queues := idlePair(t)
	g := all[0]
	held := 0
	g.lease.lock = func(context.Context, string) (int, int, error) { return held, 2, errors.New("broker-b is away") }
	g.renewLease()
	require.True(t, g.State().Fenced, "it never had one")
	held = 1
	g.renewLease()
	require.False(t, g.State().Fenced, "one broker is enough")
	held = 0
	g.renewLease()
	require.False(t, g.State().Fenced, "a lease lasts")
	g.lease.until = time.Now().Add(-time.Second)
	g.renewLease()
	require.True(t, g.State().Fenced)

	client, answers := pipe(t)
	s := newSession(g,
		&port{Dest: routing.Dest{Side: routing.Source, Broker: "broker-a"}, broker: []byte("broker-a")}, client)
	go s.send(frameOf(t, remoting.CodeSendV2), nil)
	var f wire.Frame
	require.NoError(t, wire.NewReader(answers).Next(&f))
	assert.Equal(t, remoting.ServiceNotAvailable, f.Code)
	assert.Contains(t, string(f.Remark), "topic orders is ordered")
	assert.Empty(t, s.open, "nothing was sent to "+queues[0].String())
}

func TestAGatewayThatIsTakenOffTheListMustHaveLostItsLeaseForAMinute(t *testing.T) {
	all, _ := idlePair(t)
	g, gone := all[0], all[0].sides.peers()
	answers := struct {
		held int
		err  error
	}{0, errors.New("broker-b is away")}
	g.lease.lock = func(context.Context, string) (int, int, error) { return answers.held, 2, answers.err }
	require.ErrorContains(t, g.evict(t.Context(), gone), "whether it still serves isn't known")
	answers.err = nil
	answers.held = 1
	require.ErrorContains(t, g.evict(t.Context(), gone), "still has its lease from 1 of 2 brokers")
	answers.held = 2
	require.ErrorContains(t, g.evict(t.Context(), gone), "has surely run out in ")
	g.lease.evicted["b"] = time.Now().Add(-evictTime / 2)
	require.ErrorContains(t, g.evict(t.Context(), gone), "has surely run out in ")
	g.lease.evicted["b"] = time.Now().Add(-evictTime)
	require.NoError(t, g.evict(t.Context(), gone))
	answers.held = 1 // it took its lease meanwhile: a minute begins anew
	require.Error(t, g.evict(t.Context(), gone))
	answers.held = 2
	require.ErrorContains(t, g.evict(t.Context(), gone), "has surely run out in ")
}

// A lease is renewed by its keeper and where the migration changes: one after the other, as until
// when it lasts is what the last one got.
func TestALeaseIsRenewedByOneAtATime(t *testing.T) {
	all, _ := idlePair(t)
	g := all[0]
	var asking, together atomic.Int64
	g.lease.lock = func(context.Context, string) (int, int, error) {
		if asking.Add(1) > 1 {
			together.Add(1)
		}
		runtime.Gosched()
		asking.Add(-1)
		return 1, 2, nil
	}
	var both sync.WaitGroup
	for range 8 {
		both.Go(func() {
			for range 100 {
				g.renewLease()
			}
		})
	}
	both.Wait()
	assert.Zero(t, together.Load())
	assert.False(t, g.fenced.Load())
}
