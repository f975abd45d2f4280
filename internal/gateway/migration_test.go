package gateway

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// What is wrong with a migration is found before anything is done with it.
func TestAMigrationThatIsRefusedChangesNothing(t *testing.T) {
	now := Migration{Name: "m", LaneGroup: "lanes", Source: "S", Target: "T", NameServers: []string{"127.0.0.1:1"}}
	for name, c := range map[string]struct {
		away bool
		next func(*Migration)
		says string
	}{
		"without a name":                      {false, func(m *Migration) { m.Name = "" }, "must be given"},
		"with a target that can't be reached": {false, func(m *Migration) { m.NameServers = []string{"127.0.0.1:2"} }, "its target"},
		"another one":                         {true, func(m *Migration) { m.Name = "n" }, "move them back first"},
		"with another id of the target":       {true, func(m *Migration) { m.Target = "U" }, "move them back first"},
		"with another target":                 {true, func(m *Migration) { m.NameServers = []string{"127.0.0.1:2"} }, "its target"},
		"with a proxy instead":                {true, func(m *Migration) { m.NameServers, m.Proxy = nil, "127.0.0.1:2" }, "move them back first"},
	} {
		t.Run(name, func(t *testing.T) {
			g := idle(t)
			var err error
			g.state, err = openState(t.TempDir())
			require.NoError(t, err)
			g.source = rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), []string{"127.0.0.1:1"})
			before := g.meant(now)
			g.migration.Store(before)
			if c.away {
				q := g.queueFor("orders", "broker-a", 0)
				q.lane.Store(&replicator.Lane{Topic: "orders", Target: replicator.Queue{Broker: "broker-t"}})
				g.targets.Store(&[]string{"broker-t"})
				g.apply(&Outcome{Homes: []savedHome{{Topic: "orders", Broker: "broker-a", Home: "target"}}})
			}
			next := now
			c.next(&next)
			require.ErrorContains(t, g.Use(t.Context(), next), c.says)
			require.Same(t, before, g.migration.Load())
			_, err = os.Stat(g.state.path)
			require.ErrorIs(t, err, os.ErrNotExist, "nothing was written")
		})
	}
}

func TestAMigrationThatCannotBeWrittenIsNone(t *testing.T) {
	g := idle(t)
	dir := t.TempDir()
	state, err := openState(filepath.Join(dir, "state"))
	require.NoError(t, err)
	g.state = state
	require.NoError(t, os.RemoveAll(dir))
	next := g.meant(Migration{Name: "m", LaneGroup: "lanes", Source: "S", Target: "T", Proxy: "127.0.0.1:1"})
	err = g.replace(t.Context(), nil, next)
	require.Error(t, err)
	require.False(t, errors.Is(err, ErrRefused))
	require.Nil(t, g.migration.Load())
}
