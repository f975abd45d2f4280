package gateway

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// readsAt reports whether a client reads from a side at a slave's port.
func (g *Gateway) readsAt(slave bool, from side) bool {
	for _, s := range g.all() {
		if s.port.slave() == slave && s.any(func(c call) bool { return isPull(c.code) && c.side == from }) {
			return true
		}
	}
	return false
}

// Members read from a slave as its master sends them there, and move to the target and back; and without the master, members that come read what the
// slave has.
func TestLiveMembersReadFromASlave(t *testing.T) {
	t.Parallel()
	own := labtest.OwnCluster(t, lab.ClusterSpec{Name: "WithSlave", Version: "4.9.7", Brokers: 1, Slaves: true, Config: map[string]string{
		"slaveReadEnable": "true", "accessMessageInMemoryMaxRatio": "0", // who isn't at the end is sent to the slave
	}})
	r := newRigBetween(t, "slave", own, labtest.Cluster(t, "5.3.3"))
	orders, moving, late := r.topic("slave-orders", 4), r.group("slave-moving"), r.group("slave-late")
	r.replicate()
	g := r.open()
	slave := own.Slaves[0]
	served := func() int {
		table, err := r.source.Client().Runtime(r.ctx, slave.Addr)
		require.NoError(t, err)
		n, _ := strconv.Atoi(table["msgGetTotalTodayNow"])
		return n
	}
	readers := r.consume(moving, orders, 1, false)
	r.warmUp(orders, readers)
	load := r.produce(orders, "key", 16, 2*time.Millisecond)
	r.eventually("the slave serves members", func() bool { return served() > 200 && g.readsAt(true, source) })
	for _, to := range []string{"target", "source", "target"} {
		r.move(Move{Kind: KindSide, To: to, Groups: []string{moving}})
		got := readers.got.Load()
		r.eventually("the group reads", func() bool { return readers.got.Load() > got+500 })
	}
	t.Logf("the slave has served %d messages", served())
	load.end()
	readers.untilRead(load)
	assert.Empty(t, load.errors)
	v := readers.judge(load)
	assert.Zero(t, v.lost+v.duplicated, "%+v", v)
	r.eventually("the slave has everything", func() bool {
		for id := range 4 {
			here, err := r.source.Client().MaxOffset(r.ctx, own.Brokers[0].Addr, orders, id)
			require.NoError(t, err)
			if there, err := r.source.Client().MaxOffset(r.ctx, slave.Addr, orders, id); err != nil || there != here {
				return false
			}
		}
		return true
	})

	require.NoError(t, own.KillBroker(own.Brokers[0].Name))
	newcomers := r.javaConsume(late, 1, javaclient.Consumer{Version: "4.9.7", Topic: orders, Mode: javaclient.Concurrent})
	newcomers.untilRead(load)
}
