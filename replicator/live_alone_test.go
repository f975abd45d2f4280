package replicator

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/verify"
)

// Brokers that are set so take bodies of up to a frame. Before, no lane sent more than 4 MiB: it
// stopped, and said that the target's limit be raised.
func TestLongLargerBodiesThanUsualAreCopiedBothWays(t *testing.T) {
	t.Parallel()
	large := map[string]string{"maxMessageSize": "12582912"}
	source := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Config: large})
	target := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Config: large})
	l := newLiveBetween(t, source, target, "large", 1)
	of := l.lanes[0]
	body := func(with byte, size int) []rocketmq.BatchMessage {
		return []rocketmq.BatchMessage{{Body: bytes.Repeat([]byte{with}, size), Properties: []byte("KEYS\x01large")}}
	}
	l.fill(3)
	l.batch(l.source, of.Source, time.Now().UnixMilli(), body('s', 5<<20)...)
	l.batch(l.source, of.Source, time.Now().UnixMilli(), body('s', 11<<20)...)
	run := l.start("one", l.lanes, func(r *Replicator) { r.options.BothWays = true })
	l.untilCopied(run)
	l.batch(l.target, of.Target, time.Now().UnixMilli(), body('t', 11<<20)...)
	l.until("both sides hold all", run, func(lane.Progress) bool {
		return len(l.bodies(l.source, of.Source)) == 6
	})
	run.stop()
	if here, there := l.bodies(l.source, of.Source), l.bodies(l.target, of.Target); !slices.Equal(here, there) {
		t.Fatalf("the source holds %d messages, the target %d, and they differ", len(here), len(there))
	}
}

// DLedger brokers of 4.5 to 4.7 refuse each batch. Before, nothing came back to such a source: the
// lane stopped with the advice to raise a size.
func TestLongADLedgerSourceThatTakesNoBatchesGetsMessagesBackOneByOne(t *testing.T) {
	t.Parallel()
	const each = 60
	ports, err := lab.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	source := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Source", Version: "4.7.1", BrokerNames: []string{"broker-a"},
		Config: map[string]string{
			"enableDLegerCommitLog": "true", "dLegerGroup": "broker-a", "dLegerSelfId": "n0",
			"dLegerPeers": fmt.Sprintf("n0-127.0.0.1:%d", ports[0]),
		},
	})
	l := newLiveBetween(t, source, labtest.Cluster(t, "5.3.3"), "dledger", 1)
	lane := l.lanes[0]
	for i := range each {
		l.single(lane, fmt.Appendf(nil, "s %04d", i), time.Now().UnixMilli())
	}
	run := l.start("one", l.lanes, func(r *Replicator) { r.options.BothWays = true })
	l.untilCopied(run)
	l.write(l.target, lane.Target, "t", each, []byte("KEYS\x01k\x02"))
	l.write(l.target, lane.Target, "t", 1, []byte("DELAY\x013\x02KEYS\x01late\x02")) // was delivered late there
	here, there := l.held(run, lane, 0, each, each+1)
	if len(here) != len(there) {
		t.Fatalf("%d messages on the source, %d on the target", len(here), len(there))
	}
	run.stop()
	back, err := verify.Lane(l.ctx, l.target, l.source, lane.Back(), verify.Options{Names: l.names().Back()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if back.Compared != each+1 || back.Missing+back.Extra+back.Altered+back.OutOfOrder > 0 {
		t.Fatalf("what came back: %+v", back)
	}
	again := l.start("two", l.lanes, func(r *Replicator) { // looks at the newest copies
		r.options.BothWays = true
		// as if its configuration couldn't be read: it learns by the broker's answers
		r.source.(*replica.Brokers).Taken.Store("broker-a", replica.BatchesOf("4.7.1", nil))
	})
	l.write(l.target, lane.Target, "t", 4, nil)
	l.held(again, lane, 0, each, each+5)
}
