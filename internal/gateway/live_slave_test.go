package gateway

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// readsAt reports whether a client reads from a side at a slave's port.
func (g *Gateway) readsAt(slave bool, from routing.Side) bool {
	for _, s := range g.clients.registry.all() {
		if s.port.Slave() == slave && s.any(func(c call) bool { return isPull(c.code) && c.side == from }) {
			return true
		}
	}
	return false
}

// Members read from a slave as its master sends them there, and move to the target and back; and
// without the master, members that come read what the slave has.
func TestLongMembersReadFromASlave(t *testing.T) {
	t.Parallel()
	own := labtest.OwnCluster(
		t,
		lab.ClusterSpec{Name: "WithSlave", Version: "4.9.7", Brokers: 1, Slaves: true, Config: map[string]string{
			// who isn't at the end is sent to the slave
			"slaveReadEnable": "true", "accessMessageInMemoryMaxRatio": "0",
		}},
	)
	r := newRigBetween(t, "slave", own, labtest.Cluster(t, "5.3.3"))
	orders, moving, late := r.topic("orders", 4), r.group("moving"), r.group("late")
	r.replicate()
	g := r.open()
	slave := own.Slaves[0]
	served := func() int {
		table := untilAnswered(r, "how much the slave has served",
			func() (map[string]string, error) { return r.source.Client().Runtime(r.ctx, slave.Addr) })
		n, _ := strconv.Atoi(table["msgGetTotalTodayNow"])
		return n
	}
	readers := r.consume(moving, orders, 1, false)
	r.warmUp(orders, readers)
	r.control()
	load := r.produce(orders, "key", 16, 2*time.Millisecond)
	r.eventually("the slave serves members", func() bool { return served() > 200 && g.readsAt(true, routing.Source) })
	for _, to := range []string{"target", "source", "target"} {
		r.move(control.Move{Kind: control.KindSide, To: to, Groups: []string{moving}})
		r.untilMore(500, readers)
	}
	t.Logf("the slave has served %d messages", served())
	load.end()
	readers.untilRead(load)
	r.sentWell(readers, load)
	v := readers.judge(load)
	assert.Zero(t, v.lost+v.duplicated, "%+v", v)
	r.await("the slave has everything", func() (missing string) {
		for id := range 4 {
			here, err := r.source.Client().MaxOffset(r.ctx, own.Brokers[0].Addr, orders, id)
			there, err2 := r.source.Client().MaxOffset(r.ctx, slave.Addr, orders, id)
			if err = errors.Join(err, err2); err != nil || there != here {
				missing += fmt.Sprintf("queue %d: %d of %d, %v; ", id, there, here, err)
			}
		}
		return missing
	})

	require.NoError(t, own.KillBroker(own.Brokers[0].Name))
	newcomers := r.javaConsume(late, 1,
		javaclient.Consumer{Version: "4.9.7", Topic: orders, Mode: javaclient.Concurrent})
	newcomers.untilRead(load)
}
