package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// The clusters may have different numbers of brokers, and the same names for all of them or none.
// Two brokers that move to one of the same name are in every other test.
func TestLongClustersOfAnyShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, target lab.ClusterSpec }{
		"one broker to two, and all names are the same": {
			source: lab.ClusterSpec{Version: "4.9.7", Brokers: 1},
			target: lab.ClusterSpec{Version: "5.3.3", Brokers: 2},
		},
		"two brokers to one, and no name is the same": {
			source: lab.ClusterSpec{Name: "Old", Version: "4.9.7", BrokerNames: []string{"old-1", "old-2"}},
			target: lab.ClusterSpec{Name: "New", Version: "5.3.3", BrokerNames: []string{"new-1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRigBetween(t, "shape", labtest.OwnCluster(t, c.source), labtest.OwnCluster(t, c.target))
			orders, billing, audit := r.topic("orders", 4), r.group("billing"), r.group("audit")
			r.replicate()
			r.open()
			ordered, concurrent := r.consume(billing, orders, 1, true), r.consume(audit, orders, 2, false)
			r.warmUp(orders, ordered, concurrent)
			r.control()
			load := r.produce(orders, "key", 16, 40*time.Millisecond)
			for range labtest.Rounds(2, 1) {
				for _, to := range []string{"target", "source"} {
					r.move(control.Move{Kind: control.KindSide, To: to, Groups: []string{billing, audit}})
					r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{orders}})
					r.untilMore(300, load, ordered, concurrent)
				}
			}
			load.end()
			ordered.untilRead(load)
			concurrent.untilRead(load)
			r.sentWell(ordered, load)
			assert.Equal(t, verdict{}, ordered.judge(load))
			v := concurrent.judge(load)
			assert.Zero(t, v.lost+v.duplicated, "%+v", v)
			t.Log(load)
		})
	}
}
