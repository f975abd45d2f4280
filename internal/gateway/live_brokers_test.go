package gateway

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/sleep"
)

// frozenFor is how long a broker stands still: longer than clients' time-outs, shorter than the 60
// s after which locks of queues end.
const frozenFor = 30 * time.Second

// A broker of either side stands still for half a minute, is killed, or is restarted, in the middle
// of a move of either kind, there and back. The move isn't done, or done as a whole, within its
// budget; it is done when it is asked for again; nothing is lost, and order holds.
func TestLongABrokerFailsInTheMiddleOfMoves(t *testing.T) {
	t.Parallel()
	clusters := [2]*lab.Cluster{
		routing.Source: labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7"}),
		routing.Target: labtest.OwnCluster(t, lab.ClusterSpec{Version: "5.3.3"}),
	}
	r := newRigBetween(t, "brokers", clusters[routing.Source], clusters[routing.Target])
	ctx := r.ctx
	r.breaks = breaksBrokers
	orders, billing := r.topic("orders", 2), r.group("billing")
	r.replicate()
	g := r.open()
	var armed atomic.Pointer[func()]
	g.atPhase = func(phase string) {
		if strike := armed.Load(); strike != nil && phase == store.PhasePrepared && armed.CompareAndSwap(strike, nil) {
			(*strike)()
		}
	}
	read := r.consume(billing, orders, 1, true)
	r.warmUp(orders, read)
	load := r.produce(orders, "key", 8, 20*time.Millisecond)
	flows := func(what string) {
		t.Helper()
		t.Log(what)
		r.untilMore(100, load, read)
	}
	to := map[string]routing.Side{control.KindHome: routing.Source, control.KindSide: routing.Source}
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		c := clusters[on]
		broker := c.Brokers[0].Name
		for _, fault := range []struct {
			name      string
			does, end func() error
			after     time.Duration
		}{
			{"stands still", func() error { return c.SuspendBroker(broker) }, func() error { return c.ContinueBroker(broker) }, frozenFor},
			{"is killed", func() error { return c.KillBroker(broker) }, func() error { return c.StartBroker(ctx, broker) }, 0},
			{"is restarted", func() error { return c.StopBroker(broker) }, func() error { return c.StartBroker(ctx, broker) }, 0},
		} {
			if !labtest.Whole() && fault.name == "is restarted" {
				continue
			}
			moves := []control.Move{{Kind: control.KindSide, Groups: []string{billing}}, {Kind: control.KindHome, Topics: []string{orders}}}
			if !labtest.Whole() { // one kind each: a side while the source fails, a home while the target does
				moves = moves[on : on+1]
			}
			for _, m := range moves {
				to[m.Kind] = to[m.Kind].Other()
				m.To = to[m.Kind].String()
				what := fmt.Sprintf("%s of the %s %s in a move of the %s to the %s", broker, on, fault.name,
					m.Kind, m.To)
				flows("before " + what)
				struck := make(chan error, 1)
				strike := func() {
					done := make(chan struct{})
					go func() {
						struck <- fault.does()
						close(done)
					}()
					select {
					case <-done:
					case <-time.After(200 * time.Millisecond): // a stop in good order takes seconds, in which the move goes on
					}
				}
				armed.Store(&strike)
				m.ID, m.Budget = what, control.Duration(time.Second)
				was := strikes(r, m, &armed, struck) // which ends while the broker is away: it comes back below
				require.NoError(t, sleep.For(ctx, fault.after))
				t.Logf("%s: done %t, held %s, %s; %s", what, was.Done, time.Duration(was.Held), was.Reason, load)
				require.NoError(t, fault.end(), what)
				try := 0
				r.await("the move is done: "+what, func() string {
					try++
					m.ID = fmt.Sprint(what, " again ", try)
					was, err := g.Move(ctx, m)
					if err == nil && was.Done {
						return ""
					}
					return fmt.Sprint(was.Reason, " ", err)
				})
				flows("after " + what)
			}
		}
	}
	load.end()
	read.untilRead(load)
	v := read.judge(load)
	r.sentWell(read, load)
	t.Logf("%s; %+v", load, v)
	assert.Zero(t, v.lost+v.outOfOrder, "%+v", v)
}

// strikes asks for a move until the fault has struck in its middle: before, what the last fault
// left may hinder it.
func strikes(r *rig, m control.Move, armed *atomic.Pointer[func()], struck chan error) control.Moved {
	r.Helper()
	for {
		was, err := r.gateway.Move(r.ctx, m)
		require.NoError(r, err)
		if armed.Load() == nil {
			require.NoError(r, <-struck)
			return was
		}
		require.False(r, was.Done, "a move that nothing struck")
		require.NoError(r, sleep.For(r.ctx, control.RetryAfter), "%+v", was)
		m.ID += "-"
	}
}
