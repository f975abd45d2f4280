package rounds

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
)

func leaseBy(lock func() (held, brokers int, err error)) *Lease {
	return &Lease{
		Name: "a", Alone: func() bool { return false }, Log: slog.New(slog.DiscardHandler),
		Lock: func(context.Context, string) (int, int, error) { return lock() },
	}
}

func TestALeaseThatNobodyRenewsRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, alone := 0, false
		l := leaseBy(func() (int, int, error) { return held, 2, errors.New("broker-b is away") })
		l.Alone = func() bool { return alone }
		renew := func() bool {
			l.Renew(t.Context())
			return l.Fenced()
		}
		require.True(t, renew(), "it never had one")
		held = 1
		require.False(t, renew(), "one broker is enough")
		held = 0
		require.False(t, renew(), "a lease lasts")
		time.Sleep(LeaseTime)
		require.False(t, renew())
		time.Sleep(time.Nanosecond)
		require.True(t, renew())
		alone = true
		require.False(t, renew(), "nobody else could move on")
	})
}

func TestAGatewayThatIsTakenOffTheListMustHaveLostItsLeaseForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, why := 0, errors.New("broker-b is away")
		l := leaseBy(func() (int, int, error) { return held, 2, why })
		evict := func() error { return l.Evict(t.Context(), []control.Peer{{Name: "b"}}) }
		require.ErrorContains(t, evict(), "whether it still serves isn't known")
		why, held = nil, 1
		require.ErrorContains(t, evict(), "still has its lease from 1 of 2 brokers")
		held = 2
		require.ErrorContains(t, evict(), "has surely run out in 1m0s")
		time.Sleep(evictTime / 2)
		require.ErrorContains(t, evict(), "has surely run out in 30s")
		time.Sleep(evictTime / 2)
		require.NoError(t, evict())
		held = 1 // it took its lease meanwhile: a minute begins anew
		require.Error(t, evict())
		held = 2
		require.ErrorContains(t, evict(), "has surely run out in 1m0s")
	})
}

// A lease is renewed by its keeper and where the migration changes: one after the other, as until
// when it lasts is what the last one got.
func TestALeaseIsRenewedByOneAtATime(t *testing.T) {
	var asking, together atomic.Int64
	l := leaseBy(func() (int, int, error) {
		if asking.Add(1) > 1 {
			together.Add(1)
		}
		runtime.Gosched()
		asking.Add(-1)
		return 1, 2, nil
	})
	var both sync.WaitGroup
	for range 8 {
		both.Go(func() {
			for range 100 {
				l.Renew(t.Context())
			}
		})
	}
	both.Wait()
	assert.Zero(t, together.Load())
	assert.False(t, l.Fenced())
}
