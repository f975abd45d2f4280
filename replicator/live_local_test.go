package replicator

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func TestLongFaultsHoldUpNoOtherLane(t *testing.T) {
	t.Parallel()
	cluster := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Small", Version: "5.3.3", BrokerNames: []string{"broker-one", "broker-two"},
		Config: map[string]string{"maxMessageSize": "65536"},
	})
	l := newLiveOn(t, cluster, "local-faults", 1)
	one, two := l.lanes[0], l.lanes[1] // by the names of the target's brokers
	l.fill(50)
	c := l.start("one", l.lanes, func(r *Replicator) {
		r.timing.retryMax, r.timing.sendTimeout, r.timing.patience = 200*time.Millisecond, time.Second, time.Second
	})
	l.untilCopied(c)

	l.batch(l.source, two.Source, time.Now().UnixMilli(),
		rocketmq.BatchMessage{Body: bytes.Repeat([]byte("x"), 70_000)})
	l.fill(50)
	l.until("the message that is too long is named, and the other lane goes on", c, func(p lane.Progress) bool {
		return len(p.Faults) == 1 && p.Faults[0].Type == lane.TargetRefused && p.Faults[0].From == 50 &&
			p.Faults[0].To == 51 &&
			p.Copied == 150 &&
			p.CaughtUp == 1
	})
	if err := c.Answer(lane.Answer{Topic: two.Topic, Broker: two.Source.Broker, Queue: two.Source.ID, Action: lane.Skip, From: 50, To: 51}); err != nil {
		t.Fatal(err)
	}
	l.untilCopied(c)

	if err := cluster.StopNameServer(); err != nil { // brokers serve without it
		t.Fatal(err)
	}
	l.fill(50)
	l.until("lanes copy without the name server", c,
		func(p lane.Progress) bool { return p.Copied == 300 && p.CaughtUp == 2 })
	if err := cluster.SuspendBroker(one.Target.Broker); err != nil {
		t.Fatal(err)
	}
	l.fill(50)
	l.until("the other lane goes on beside the frozen broker", c, func(p lane.Progress) bool {
		return p.Copied == 350 && p.CaughtUp == 1 && strings.Contains(p.Waiting, one.Target.Broker)
	})
	if err := cluster.ContinueBroker(one.Target.Broker); err != nil {
		t.Fatal(err)
	}
	if err := cluster.StartNameServer(l.ctx); err != nil {
		t.Fatal(err)
	}
	l.untilCopied(c)
	if p := c.stop(); p.Copied != 400 || p.Skipped != 1 || len(p.Faults) > 0 {
		t.Fatalf("progress %+v, wanted 400 copied and one given up", p)
	}
	if got := l.verify(); got.Compared != 400 || got.Missing != 1 ||
		got.Extra+got.Altered+got.OutOfOrder+got.Natives > 0 {
		t.Fatalf("verification %+v, wanted 400 messages and the one that was given up", got)
	}
}
