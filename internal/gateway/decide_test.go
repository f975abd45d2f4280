package gateway

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/store"
)

// alone is a gateway without clusters that can go by rounds.
func alone(t *testing.T) *Gateway {
	t.Helper()
	g := idle(t)
	g.sides.Migration.Store(
		&replicas.Migration{
			Migration:     control.Migration{Name: "m", LaneGroup: "l", Source: "S", Target: "T"},
			TargetCluster: g.sides.Source,
		},
	)
	return g
}

// A disk that takes nothing leaves everything as it was: what is answered, what is in memory, and
// what a restart finds.
func TestAMoveThatCannotBeWrittenIsNone(t *testing.T) {
	g := alone(t)
	full := g.state.Path + ".next"
	require.NoError(t, g.save())
	for _, c := range []struct {
		kind string
		of   store.Outcome
	}{
		{control.KindHome, store.Outcome{Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Queue: 0, Home: "target", Shift: 7}, {Topic: "orders", Broker: "broker-a", Queue: 1, Home: "target", Shift: 1}}}},
		{control.KindSide, store.Outcome{Views: []store.View{{Group: "billing", Topic: "orders", Broker: "broker-a", Queue: 0, Side: "target", Shift: [2]int64{0, 7}, Proved: 10}}}},
		{control.KindAuthority, store.Outcome{Authority: "target"}},
	} {
		g.standing(&c.of) // what it names is known
		move := func() error {
			was := &control.Moved{ID: c.kind, Done: true}
			c.of.Epoch = g.moves.epoch.Load() + 1
			return roundHost{g}.GoBy(store.Round{ID: c.kind, Kind: c.kind, Ends: was}, &c.of, false)
		}
		before, away := g.snapshot(), g.table.Away()
		require.NoError(t, os.Mkdir(full, 0o700))
		require.ErrorContains(t, move(), "its state can't be written to "+g.state.Path)
		assert.Equal(t, before, g.snapshot(), "%s in memory", c.kind)
		assert.Equal(t, before, kept(t, g), "%s on disk", c.kind)
		assert.Equal(t, away, g.table.Away(), c.kind)
		_, there := g.moves.remembered(c.kind)
		assert.False(t, there, c.kind)

		require.NoError(t, os.Remove(full))
		require.NoError(t, move())
		assert.NotEqual(t, before, kept(t, g), c.kind)
		assert.Equal(t, g.snapshot(), kept(t, g), c.kind)
		was, there := g.moves.remembered(c.kind)
		assert.True(t, there && was.Done && was.Epoch == before.Epoch+1, "%s: %+v", c.kind, was)

		next := alone(t) // which asks its disk
		next.restore(kept(t, g))
		again, err := next.Move(t.Context(), control.Move{ID: c.kind, Kind: c.kind, To: "target"})
		require.NoError(t, err)
		assert.Equal(t, was, again, "asked again after a restart")
	}
}

// kept is what a restart would find.
func kept(t *testing.T, g *Gateway) store.State {
	t.Helper()
	f, err := store.Open(filepath.Dir(g.state.Path))
	require.NoError(t, err)
	return f.Last()
}
