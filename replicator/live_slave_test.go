package replicator

import (
	"os"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/replicator/lane"
)

// The target's master is lost under load, and what was a slave takes over at another address,
// without the last messages and positions: its copying lagged behind. The lanes find it, and copy
// again what it lacks, once.
func TestLongSlaveThatTakesOverGetsWhatItLacks(t *testing.T) {
	t.Parallel()
	cluster := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Pair", Version: "5.3.3", Brokers: 1})
	broker := cluster.Brokers[0].Name
	l := newLiveOn(t, cluster, "slave", 1)
	l.fill(500)
	c := l.start("one", l.lanes, func(r *Replicator) {
		r.options.BatchMessages = 20
		r.timing.retryMax, r.timing.sendTimeout = 200*time.Millisecond, time.Second
		// a lane at rest learns from its lock that the master is another
		r.timing.renew, r.timing.pullWait = 2*time.Second, time.Second
	})
	l.untilCopied(c)
	if err := cluster.StopBroker(broker); err != nil {
		t.Fatal(err)
	}
	slave := t.TempDir()
	if err := os.CopyFS(slave, os.DirFS(cluster.StoreDir(broker))); err != nil {
		t.Fatal(err)
	}
	start := func() {
		if err := cluster.StartBroker(l.ctx, broker); err != nil {
			t.Fatal(err)
		}
	}
	start()
	l.fill(400)
	l.until("copies are made that the slave won't have", c, func(p lane.Progress) bool { return p.Copied > 1500 })
	if err := cluster.KillBroker(broker); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(cluster.StoreDir(broker)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(cluster.StoreDir(broker), os.DirFS(slave)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.MoveBroker(broker); err != nil {
		t.Fatal(err)
	}
	start()
	l.until("the target holds everything, some of it copied again", c,
		func(p lane.Progress) bool { return p.CaughtUp == 2 && l.onTarget() == 1800 })
	l.untilCopied(c)
	if p := c.stop(); len(p.Faults) > 0 || p.Copied <= 1800 {
		t.Fatalf("progress %+v, wanted more than 1800 copied: what the slave lacked was copied again", p)
	}
	l.wantClean(1800)
}
