package memory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func at(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, byte(n >> 8), byte(n)}) }

// none is the end of a holder that must stay.
func none(t *testing.T) func(int64) {
	return func(int64) { t.Error("who was closed had to stay") }
}

// later takes in a goroutine of its own, and tells the end.
func later(h *Holder, n int) chan error {
	end := make(chan error, 1)
	go func() { end <- h.Take(n) }()
	return end
}

func TestWithoutABudgetThereAreNoBounds(t *testing.T) {
	var b *Budget
	h := b.Enter(at(1), none(t))
	require.NoError(t, h.Take(1<<40))
	assert.True(t, h.Try(1<<40))
	assert.True(t, h.Join())
	h.Give(1)
	h.Came(1)
	h.Leave()
	b.Fix(1)
	b.Close()
	assert.Zero(t, b.Standing())
	assert.Zero(t, h.Held())
}

func TestWhoHoldsLeastIsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mb = 1 << 20
		b := New(80 * mb)
		greedy, modest := b.Enter(at(1), none(t)), b.Enter(at(2), none(t))
		also := b.Enter(at(1), none(t))
		require.NoError(t, greedy.Take(30*mb))
		require.NoError(t, also.Take(25*mb))
		require.NoError(t, modest.Take(5*mb))
		first := later(also, 10*mb)
		synctest.Wait()
		second := later(modest, 10*mb)
		synctest.Wait()
		assert.Equal(t, 2, b.Standing().Waiting)
		also.Give(10 * mb)
		require.NoError(t, <-second, "though it came later")
		synctest.Wait()
		assert.Empty(t, first)
		greedy.Give(20 * mb)
		require.NoError(t, <-first)
		for _, h := range []*Holder{greedy, also, modest} {
			h.Leave()
		}
		assert.Equal(t, Standing{Limit: 80 * mb, Waited: 2}, b.Standing())
	})
}

func TestRoomIsKeptForLittleThingsOfAddressesThatHoldLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(64 << 20)
		big, small := b.Enter(at(1), none(t)), b.Enter(at(2), none(t))
		require.NoError(t, big.Take(48<<20))
		assert.False(t, big.Try(1), "the rest is kept back")
		waits := later(big, 1<<10)
		synctest.Wait()
		assert.Empty(t, waits)
		for range Modest / Little {
			require.NoError(t, small.Take(Little))
		}
		assert.False(t, small.Try(1))
		big.Give(40 << 20)
		require.NoError(t, <-waits)
	})
}

// A client that holds on to much goes when somebody has waited; one whose frame comes at a fair
// pace stays.
func TestWhoHoldsOnForNoGoodGoesForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(100 << 20)
		var gone atomic.Int64
		enter := func(n int) *Holder {
			var h *Holder
			h = b.Enter(at(n), func(held int64) {
				assert.EqualValues(t, 32<<20, held)
				gone.Add(1)
				go func() { // as a session that ends
					h.Give(1 << 20)
					h.Leave()
				}()
			})
			return h
		}
		drips, comes := enter(1), b.Enter(at(1), none(t))
		kept := b.Enter(at(3), none(t))
		require.NoError(t, kept.Take(2<<20))
		require.NoError(t, drips.Take(32<<20))
		require.NoError(t, comes.Take(32<<20))
		begin := time.Now()
		coming := time.NewTicker(50 * time.Millisecond)
		defer coming.Stop()
		waits := later(b.Enter(at(2), none(t)), 30<<20)
		for got := false; !got; {
			select {
			case <-coming.C:
				comes.Came(100_000)
				drips.Came(100)
			case err := <-waits:
				require.NoError(t, err)
				got = true
			}
		}
		assert.EqualValues(t, 1, gone.Load())
		assert.EqualValues(t, 1, b.Standing().Evicted)
		assert.GreaterOrEqual(t, time.Since(begin), Grace)
		assert.Less(t, time.Since(begin), 3*Grace)
		assert.ErrorIs(t, drips.Take(1), ErrEvicted)
		assert.False(t, drips.Try(1))
	})
}

func TestNobodyGoesForAnAddressThatHoldsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(100 << 20)
		kept := b.Enter(at(1), none(t))
		require.NoError(t, kept.Take(20<<20))
		busy := b.Enter(at(2), none(t))
		require.NoError(t, busy.Take(50<<20))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			for ctx.Err() == nil {
				busy.Came(100_000)
				time.Sleep(Grace / 4)
			}
		}()
		begin := time.Now()
		require.ErrorIs(t, b.Enter(at(2), none(t)).Take(100<<19), ErrNoRoom)
		assert.Equal(t, Patience, time.Since(begin))
		require.ErrorIs(t, busy.Take(80<<20), ErrTooMuch, "which would wait for ever")
		assert.EqualValues(t, 2, b.Standing().Refused)
		stop()
		time.Sleep(Grace) // it ends
	})
}

func TestWhatIsFixedLeavesLessForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(10 << 20)
		h := b.Enter(at(1), none(t))
		b.Fix(10 << 20)
		assert.False(t, h.Try(1))
		b.Fix(-10 << 20)
		assert.True(t, h.Try(1))
		require.NoError(t, h.Take(7<<20))
		waits := later(h, 1<<20)
		synctest.Wait()
		b.Close()
		require.ErrorIs(t, <-waits, ErrClosed)
		require.ErrorIs(t, h.Take(1), ErrClosed)
	})
}

func TestAddressesOfOneHostAreOne(t *testing.T) {
	p := func(s string) netip.Prefix { return PrefixOf(netip.MustParseAddr(s)) }
	assert.Equal(t, p("2001:db8::1"), p("2001:db8::2:3"))
	assert.NotEqual(t, p("2001:db8::1"), p("2001:db8:0:1::1"))
	assert.Equal(t, p("::ffff:10.0.0.1"), p("10.0.0.1"))
	assert.NotEqual(t, p("10.0.0.2"), p("10.0.0.1"))
	assert.Equal(t, netip.Prefix{}, PrefixOf(netip.Addr{}))
}

// Whatever happens to clients, in whatever order: everything comes back, and never more is given
// out than there is.
func TestEverythingComesBack(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { churn(t, seed) })
		})
	}
}

func churn(t *testing.T, seed uint64) {
	const most = 64 << 20
	b := New(most)
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			var evicted atomic.Bool
			h := b.Enter(at(i%5), func(int64) { evicted.Store(true) })
			second := random.IntN(2) == 0 && h.Join()
			var held []int
			for range 30 {
				time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
				n := 1 + random.IntN(1<<random.IntN(25))
				switch random.IntN(4) {
				case 0:
					if h.Try(n) {
						held = append(held, n)
					}
				case 1, 2:
					gone := evicted.Load() // it may have to go while it takes
					err := h.Take(n)
					if err == nil {
						held = append(held, n)
					}
					if gone && err == nil {
						t.Error("who has to go gets no more")
					}
					if err != nil && !errors.Is(err, ErrEvicted) && !errors.Is(err, ErrNoRoom) {
						t.Error(err)
					}
				default:
					if len(held) > 0 {
						h.Give(held[0])
						held = held[1:]
					}
				}
				if s := b.Standing(); s.Held > most || s.Held < 0 {
					t.Errorf("%+v", s)
				}
			}
			h.Leave()
			if second {
				for _, n := range held {
					h.Give(n)
				}
				h.Leave()
				h.Give(1) // of somebody who hasn't heard of it
			}
		})
	}
	all.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Zero(t, b.held)
	assert.Zero(t, b.leaving)
	assert.Zero(t, b.waiting)
	assert.Empty(t, b.owners)
	assert.Positive(t, b.waited+b.evicted)
}

// BenchmarkTake is what a large frame costs besides its bytes.
func BenchmarkTake(b *testing.B) {
	h := New(1<<30).Enter(at(1), func(int64) {})
	b.ReportAllocs()
	for range b.N {
		if h.Take(64<<10) != nil {
			b.Fatal("no room")
		}
		h.Give(64 << 10)
	}
}

// A client that has gone takes nothing more, and nobody waits behind it.
func TestWhoseClientHasGoneTakesNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mb = 1 << 20
		b := New(80 * mb)
		goes, stays := b.Enter(at(1), none(t)), b.Enter(at(1), none(t))
		require.True(t, goes.Join())
		require.NoError(t, goes.Take(30*mb))
		first := later(goes, 40*mb)
		synctest.Wait()
		second := later(stays, 20*mb)
		synctest.Wait()
		assert.Equal(t, 2, b.Standing().Waiting)
		goes.End()
		goes.End()
		<-goes.Gone()
		require.ErrorIs(t, <-first, ErrEvicted)
		require.NoError(t, <-second)
		require.ErrorIs(t, goes.Take(1), ErrEvicted)
		assert.Zero(t, b.Standing().Evicted, "for nobody")
		goes.Give(10 * mb)
		goes.Leave()
		assert.EqualValues(t, 40*mb, b.Standing().Held)
		goes.Leave()
		stays.Leave()
		assert.Zero(t, b.Standing().Held)
		assert.Zero(t, b.leaving)
	})
}
