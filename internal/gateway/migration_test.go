package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// What is wrong with a migration is found before anything is done with it.
func TestAMigrationThatIsRefusedChangesNothing(t *testing.T) {
	now := control.Migration{
		Name:        "m",
		LaneGroup:   "lanes",
		Source:      "S",
		Target:      "T",
		NameServers: []string{"127.0.0.1:1"},
	}
	for name, c := range map[string]struct {
		away bool
		next func(*control.Migration)
		says string
	}{
		"without a name":                      {false, func(m *control.Migration) { m.Name = "" }, "must be given"},
		"with a target that can't be reached": {false, func(m *control.Migration) { m.NameServers = []string{"127.0.0.1:2"} }, "its target"},
		"another one":                         {true, func(m *control.Migration) { m.Name = "n" }, "move them back first"},
		"with another id of the target":       {true, func(m *control.Migration) { m.Target = "U" }, "move them back first"},
		"with another target":                 {true, func(m *control.Migration) { m.NameServers = []string{"127.0.0.1:2"} }, "its target"},
		"with a proxy instead":                {true, func(m *control.Migration) { m.NameServers, m.Proxy = nil, "127.0.0.1:2" }, "move them back first"},
	} {
		t.Run(name, func(t *testing.T) {
			g := idle(t)
			var err error
			g.state, err = store.Open(t.TempDir())
			require.NoError(t, err)
			g.sides.Source = rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), []string{"127.0.0.1:1"})
			before := g.meant(now)
			g.sides.Migration.Store(before)
			if c.away {
				q := g.table.QueueFor("orders", "broker-a", 0)
				q.SetLane(&lane.Lane{Topic: "orders", Target: lane.Queue{Broker: "broker-t"}})
				g.sides.Targets.Store(&[]string{"broker-t"})
				g.apply(&store.Outcome{Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Home: "target"}}})
			}
			next := now
			c.next(&next)
			require.ErrorContains(t, g.Use(t.Context(), next), c.says)
			require.Same(t, before, g.sides.Migration.Load())
			_, err = os.Stat(g.state.Path)
			require.ErrorIs(t, err, os.ErrNotExist, "nothing was written")
		})
	}
}

func TestAMigrationThatCannotBeWrittenIsNone(t *testing.T) {
	g := idle(t)
	dir := t.TempDir()
	state, err := store.Open(filepath.Join(dir, "state"))
	require.NoError(t, err)
	g.state = state
	require.NoError(t, os.RemoveAll(dir))
	next := g.meant(control.Migration{Name: "m", LaneGroup: "lanes", Source: "S", Target: "T", Proxy: "127.0.0.1:1"})
	err = g.replace(t.Context(), nil, next)
	require.Error(t, err)
	require.False(t, errors.Is(err, control.ErrRefused))
	require.Nil(t, g.sides.Migration.Load())
}

// abroad are a name server and a broker of a cluster, which has a broker of the target's name.
func abroad(t *testing.T) (names, broker *standIn) {
	t.Helper()
	all := func(int) bool { return true }
	names, broker = newStandIn(t, all), newStandIn(t, all)
	names.answer(remoting.CodeClusterInfo, wire.Reply{Body: fmt.Appendf(nil, `{"brokerAddrTable":{"broker-t":`+
		`{"brokerAddrs":{0:%q},"brokerName":"broker-t","cluster":"C"}}}`, broker.Addr())})
	broker.answer(codeRuntime, wire.Reply{Body: []byte(`{"table":{"brokerVersionDesc":"V5_3_3"}}`)})
	broker.answer(remoting.CodeMinOffset, wire.Reply{Fields: []string{"offset", "0"}})
	broker.answer(remoting.CodePull, wire.Reply{Code: remoting.PullNotFound, Fields: []string{
		"nextBeginOffset", "0", "minOffset", "0", "maxOffset", "0", "suggestWhichBrokerId", "0",
	}})
	return names, broker
}

// Brokers of many clusters have the same names: while something is on the target, another address
// of its name servers is believed when its brokers are known, or hold copies of the lanes.
func TestAnotherClusterWithBrokersOfTheSameNamesIsNoTarget(t *testing.T) {
	copyOf := func(cluster, topic, broker string, queue int) string {
		return fmt.Sprintf("%s\x015,%d,%s,%s,%s,x\x02", replica.StampProperty, queue, broker, topic, cluster)
	}
	for name, c := range map[string]struct {
		known bool
		holds string // a message's properties
		is    bool   // the target
	}{
		"at an address that isn't known":           {},
		"at a known one":                           {known: true, is: true},
		"with copies of the lanes":                 {holds: copyOf("S", "orders", "broker-a", 0), is: true},
		"with messages that nobody has copied":     {holds: "KEYS\x01a\x02"},
		"with copies of another cluster":           {holds: copyOf("other", "orders", "broker-a", 0)},
		"with copies of another topic":             {holds: copyOf("S", "billing", "broker-a", 0)},
		"with copies of another broker's queue":    {holds: copyOf("S", "orders", "broker-b", 0)},
		"with copies of another queue":             {holds: copyOf("S", "orders", "broker-a", 1)},
		"with what looks like a stamp and is none": {holds: replica.StampProperty + "\x01S,orders\x02"},
	} {
		t.Run(name, func(t *testing.T) {
			names, broker := abroad(t)
			if c.holds != "" {
				broker.answer(remoting.CodePull, wire.Reply{
					Fields: []string{
						"nextBeginOffset",
						"1",
						"minOffset",
						"0",
						"maxOffset",
						"1",
						"suggestWhichBrokerId",
						"0",
					},
					Body: storedMessage("orders", 0, 0, c.holds),
				})
			}
			g := alone(t)
			now := control.Migration{
				Name:        "m",
				LaneGroup:   "l",
				Source:      "S",
				Target:      "T",
				NameServers: []string{"127.0.0.1:1"},
			}
			before := g.meant(now)
			g.sides.Migration.Store(before)
			q := g.table.QueueFor("orders", "broker-a", 0)
			q.SetLane(&lane.Lane{Topic: "orders", Target: lane.Queue{Broker: "broker-t"}})
			g.sides.Targets.Store(&[]string{"broker-t"})
			g.apply(&store.Outcome{Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Home: "target"}}})
			at := "10.0.0.7:10911"
			if c.known {
				at = broker.Addr().String()
			}
			g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-t": {at}})
			next := now
			next.NameServers = []string{names.Addr().String()}
			err := g.replaceAlone(t.Context(), before, g.meant(next))
			if c.is {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "where it never was")
			require.ErrorContains(t, err, "no copy of this migration's lanes was found in 1 queues there")
			require.Same(t, before, g.sides.Migration.Load())
		})
	}
}

// A migration is another one between moves alone, and when it is on disk.
func TestAMigrationChangesBetweenMovesAndWhenItIsOnDisk(t *testing.T) {
	g := alone(t)
	now := g.sides.Migration.Load()
	next := control.Migration{Name: "n", LaneGroup: "l", Source: "S", Target: "T", Proxy: "127.0.0.1:1"}
	p := g.rounds
	r := store.Round{ID: "1", Kind: control.KindAuthority, To: "target", Budget: control.Duration(time.Second)}
	prepare(t, p, g, r)
	require.ErrorContains(t, g.Use(t.Context(), next), "takes part in round 1: wait until that has ended")
	require.Same(t, now, g.sides.Migration.Load())
	require.NoError(t, p.Abort(t.Context(), "1"))

	asked := false
	g.state.Reached = func(phase string) {
		if phase == store.PhaseWritten && !asked {
			asked = true
			assert.Same(t, now, g.sides.Migration.Load(), "it isn't on disk yet")
			_, err := p.Prepare(t.Context(), r)
			assert.ErrorContains(t, err, "takes part in round migration n", "nor does a round begin meanwhile")
		}
	}
	require.NoError(t, g.replaceAlone(t.Context(), now, g.meant(next)))
	require.True(t, asked)
	require.Equal(t, "n", g.sides.Migration.Load().Name)
	require.Equal(t, "n", kept(t, g).Migration.Name)

	g.moves.one.Lock()
	done := make(chan error, 1)
	go func() { done <- g.Use(t.Context(), next) }()
	select {
	case <-done:
		t.Error("it doesn't wait for the move")
	case <-time.After(20 * time.Millisecond):
	}
	g.moves.one.Unlock()
	require.NoError(t, <-done)
}
