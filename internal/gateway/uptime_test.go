package gateway

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/replicator"
)

func TestAMomentIsAsOldWhateverTheWallClockSays(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	boot := write("boot", "7d5d\n")
	then := momentOf(boot, write("then", "100.25 0.0\n"))
	assert.Equal(t, moment{"7d5d", Duration(100250 * time.Millisecond)}, then)
	age, known := then.age(momentOf(boot, write("now", "160.5 3.1\n")))
	assert.True(t, known)
	assert.Equal(t, 60250*time.Millisecond, age)
	for name, now := range map[string]moment{
		"another start of the machine": {"9999", then.Uptime + 1},
		"an uptime that went back":     {"7d5d", then.Uptime - 1},
		"a system that doesn't tell":   momentOf(filepath.Join(dir, "none"), boot),
		"what is no number":            momentOf(boot, boot),
	} {
		_, known = then.age(now)
		assert.False(t, known, name)
	}
	_, known = moment{}.age(moment{})
	assert.False(t, known)
}

// A restart tells how old an open round is by how long the machine runs, as somebody may have set the clock; where it can't, it doesn't
// believe what brokers say of it, which they forget after a minute.
func TestARestartKnowsHowOldAnOpenRoundIs(t *testing.T) {
	g := alone(t)
	open := &savedPart{Round: homeRound("1", time.Second)}
	now := moment{}.now()
	if now.Boot == "" {
		p := local{g}.reopen(open)
		assert.True(t, p.agePassed)
		return
	}
	open.moment = moment{now.Boot, now.Uptime - Duration(3*time.Second)}
	p := local{g}.reopen(open)
	assert.False(t, p.agePassed)
	assert.InDelta(t, 3, time.Since(p.since).Seconds(), 1)
	open.moment = moment{"another", now.Uptime}
	assert.True(t, local{g}.reopen(open).agePassed)
	wall := time.Now().Add(time.Hour) // of a file of before, or of a clock that was set back
	assert.True(t, local{g}.reopen(&savedPart{Round: open.Round, Since: &wall}).agePassed)
}

// Leases are given by the brokers of both sides, so that gateways go on when one of them is dead.
func TestBothSidesGiveLeases(t *testing.T) {
	g := alone(t)
	g.brokers[source].Store(&map[string][]string{"broker-a": {"a:1"}, "broker-a#1": {"a:2"}})
	g.brokers[target].Store(&map[string][]string{"broker-t": {"t:1"}})
	assert.Equal(t, []dest{{source, "broker-a"}, {target, "broker-t"}}, g.leasing())
	g.migration.Store(&migration{Migration: Migration{Proxy: "proxy:8080"}})
	assert.Equal(t, []dest{{source, "broker-a"}}, g.leasing())
}

// Nobody is told who has a lock by a side that a restart wouldn't know as the authority.
func TestTheAuthorityChangesForClientsWhenItIsOnDisk(t *testing.T) {
	g := alone(t)
	q := g.queueFor("orders", "broker-a", 0)
	q.lane.Store(&replicator.Lane{Topic: "orders"})
	g.groups.get([]byte("billing")).of(q).side = target
	asked, writes, written := make(chan side, 1), make(chan struct{}), make(chan struct{})
	g.state.reached = func(phase string) {
		if phase == phaseWritten {
			close(writes)
			<-written
		}
	}
	p := local{g}
	prepare(t, p, g, Round{ID: "1", Kind: KindAuthority, To: "target", Leader: "a", Budget: Duration(2 * time.Second)})
	require.NoError(t, p.ready(t.Context(), "1", Outcome{Epoch: 1, Authority: "target"}))
	done := make(chan error, 1)
	go func() { done <- p.commit(t.Context(), "1") }()
	<-writes
	go func() { asked <- g.authorityOf([]byte("billing")) }()
	select {
	case <-asked:
		t.Fatal("it is told before it is on disk")
	case <-time.After(20 * time.Millisecond):
	}
	close(written)
	require.NoError(t, <-done)
	require.Equal(t, target, <-asked)
}
