package routing

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rocketshift/internal/gateway/bodies"
)

// Views that say nothing which brokers don't know go when others need the room.
func TestIdleViewsGoForOthers(t *testing.T) {
	table := NewTable()
	groups, q := &table.Groups, table.QueueFor("orders", "broker-a", 0)
	idle := func(name string) *View {
		one := groups.Get([]byte(name)).Of(q)
		one.usedAt = time.Now().Add(-2 * idleView)
		groups.Get([]byte(name)).asked.Store(one.usedAt.UnixNano())
		return one
	}
	goes := idle("idle")
	idle("refused").claimed = 3
	committed := idle("committed")
	committed.takes(7, Source)
	_, due := committed.Due()
	require.False(t, due, "the source has it, and nobody else needs it")
	idle("moved").shift[Target] = 5
	idle("moving").moving = true
	idle("owes").owed = true
	idle("fresh").usedAt = time.Now()
	busy := idle("busy")
	all := len(groups.All())
	forget := func() {
		if groups.Room.Scarce() {
			groups.Forget(map[*View]bool{busy: true})
		}
	}
	forget()
	require.Len(t, groups.All(), all, "there is room")
	groups.Room.Most = groups.Room.Made.Load()
	forget()
	assert.Len(t, groups.All(), all-3)
	for _, name := range []string{"idle", "refused", "committed"} {
		assert.Nil(t, groups.Of(Wanted{name, q}), name)
	}
	assert.False(t, goes.uses(), "who holds it still looks again")
	assert.Equal(t, groups.Room.Most-3, groups.Room.Made.Load())
	assert.NotSame(t, goes, groups.Asked([]byte("idle"), q))
}

// BenchmarkInvented is what a group takes that reads one queue, in bytes that stay.
func BenchmarkInvented(b *testing.B) {
	groups, q := &groups{byName: map[string]*Group{}}, &Queue{}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range b.N {
		groups.Asked(fmt.Appendf(nil, "%0*d", bodies.LongestGroup, i), q)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/group")
	runtime.KeepAlive(groups)
}
