package gateway

import (
	"context"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/memory"
)

// reader has somebody at 127.0.0.n read a body that takes so long, and tells its end.
func reader(
	ctx context.Context, turns *bodyTurns, n byte, gone <-chan struct{}, takes time.Duration,
) (end chan error) {
	end = make(chan error, 1)
	go func() {
		err := turns.begin(ctx, memory.PrefixOf(netip.AddrFrom4([4]byte{127, 0, 0, n})), gone)
		if err == nil {
			time.Sleep(takes)
			turns.end(takes)
		}
		end <- err
	}()
	synctest.Wait()
	return end
}

// Long bodies leave most of the time to others, also when one comes after the other.
func TestLongBodiesLeaveTimeToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns bodyTurns
		const takes = 100 * time.Millisecond
		begun := time.Now()
		first := reader(t.Context(), &turns, 1, nil, takes)
		second := reader(t.Context(), &turns, 1, nil, takes)
		require.NoError(t, <-first)
		require.NoError(t, <-second)
		assert.Equal(t, (shareForBodies+1)*takes, time.Since(begun))
		time.Sleep(time.Hour)
		again := time.Now()
		require.NoError(t, <-reader(t.Context(), &turns, 1, nil, 0))
		assert.Zero(t, time.Since(again))
		synctest.Wait()
		assert.False(t, turns.busy)
	})
}

// Who brings many long bodies has no more turns than who brings one.
func TestAddressesTakeTurnsWithLongBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns bodyTurns
		const takes = 100 * time.Millisecond
		for range 20 {
			reader(t.Context(), &turns, 2, nil, takes)
		}
		begun := time.Now()
		for n := byte(3); n < 6; n++ {
			end := reader(t.Context(), &turns, n, nil, takes)
			require.NoError(t, <-end)
		}
		assert.LessOrEqual(t, time.Since(begun), (3*2+1)*shareForBodies*takes,
			"each waits for one of the other address, and the first for who was there")
		time.Sleep(memory.Patience + time.Second)
	})
}

// Who has to go, or waits for too long, gives its place up.
func TestNobodyWaitsForATurnInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns bodyTurns
		busy := reader(t.Context(), &turns, 1, nil, time.Hour)
		gone := make(chan struct{})
		evicted, late := reader(t.Context(), &turns, 2, gone, 0), reader(t.Context(), &turns, 2, nil, 0)
		ctx, cancel := context.WithCancel(t.Context())
		closed := reader(ctx, &turns, 3, nil, 0)
		close(gone)
		require.ErrorIs(t, <-evicted, memory.ErrEvicted)
		cancel()
		require.ErrorIs(t, <-closed, memory.ErrClosed)
		begun := time.Now()
		require.ErrorIs(t, <-late, errNoTurn)
		assert.Equal(t, memory.Patience, time.Since(begun))
		assert.Empty(t, turns.lines)
		require.NoError(t, <-busy)
		time.Sleep(shareForBodies * time.Hour)
		require.NoError(t, <-reader(t.Context(), &turns, 1, nil, 0))
		time.Sleep(time.Second)
	})
}

// A turn that comes just as somebody gives up isn't lost.
func TestATurnThatComesTooLateGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for i := range 50 {
			var turns bodyTurns
			first := reader(t.Context(), &turns, 1, nil, time.Millisecond)
			gone := make(chan struct{})
			second := reader(t.Context(), &turns, 2, gone, 0)
			third := reader(t.Context(), &turns, 3, nil, 0)
			time.AfterFunc(shareForBodies*time.Millisecond, func() { close(gone) })
			require.NoError(t, <-first)
			<-second // either way
			require.NoError(t, <-third, strconv.Itoa(i))
			time.Sleep(time.Second)
		}
	})
}
