package replicator

import (
	"fmt"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/verify"
)

// natively writes to a queue as applications do, each message with a born time of its own, so that
// lanes with a lag put several into a batch that has one; the last one is sent again with all
// that the first copy there carries.
func (l *live) natively(cluster *rocketmq.Cluster, q lane.Queue, who string, n int) {
	l.Helper()
	born := time.Now().UnixMilli()
	for i := range n {
		properties := fmt.Appendf(nil, "KEYS\x01%s%d\x02UNIQ_KEY\x01%s-%d", who, i, who, i)
		if i == n-1 {
			if last := l.properties(cluster, q); last != nil {
				properties = last
			}
		}
		request := rocketmq.SendRequest{
			Group: "writer", Topic: l.topic, Queue: q.ID, BornTimestamp: born + int64(i)*7,
			Body: fmt.Appendf(nil, "%s %d", who, i), Properties: properties, Flag: int32(i),
		}
		err := remoting.Retry(l.ctx, func() error {
			_, err := cluster.Client().SendMessage(l.ctx, l.broker(cluster, q.Broker), request)
			return err
		})
		if err != nil {
			l.Fatal(err)
		}
	}
}

// inTwoSteps sends delayed messages and transactions to a cluster by a stock producer.
func (l *live) inTwoSteps(cluster *rocketmq.Cluster, who string, n int) {
	l.Helper()
	rlog.SetLogLevel("fatal")
	p, err := stock.NewTransactionProducer(
		commits{},
		producer.WithNsResolver(primitive.NewPassthroughResolver(cluster.NameServers())),
		producer.WithGroupName(
			l.topic+who,
		),
		producer.WithInstanceName(l.topic+who),
		producer.WithRetry(5),
		producer.WithSendMsgTimeout(time.Minute),
	)
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		l.Fatal(err)
	}
	defer func() { _ = p.Shutdown() }()
	for i := range n {
		m := primitive.NewMessage(l.topic, fmt.Appendf(nil, "%s transaction %d", who, i)).WithKeys([]string{who})
		if sent, err := p.SendMessageInTransaction(l.ctx, m); err != nil || sent.State != primitive.CommitMessageState {
			l.Fatalf("transaction: %+v, %v", sent, err)
		}
	}
}

// verified compares a lane's queues under the names of a copy.
func (l *live) verified(
	what string,
	target *rocketmq.Cluster,
	names replica.Names,
	lanes []lane.Lane,
) (compared int64) {
	l.Helper()
	for _, lane := range lanes {
		got, err := verify.Lane(l.ctx, l.source, target, lane, verify.Options{Names: names}, nil)
		if err != nil {
			l.Fatal(err)
		}
		if got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
			l.Errorf("%s: %+v", what, got)
		}
		compared += got.Compared
	}
	return compared
}

// What applications wrote on the target came back to the source with its stamps. A copy of that
// source, to the same target and to a second one, was called altered where a message and its batch
// were born at other times.
func TestLiveACopyAfterAWayBackIsClean(t *testing.T) {
	const each = 40
	l := newLive(t, "way-back", 1)
	lane := l.lanes[0]
	l.fill(20)
	l.natively(l.source, lane.Source, "source", each)
	both := func(r *Replicator) { r.options.BothWays = true }
	run := l.start("one", l.lanes, both)
	l.untilCopied(run)
	run.stop()
	l.natively(l.target, lane.Target, "target", each) // lanes have a lag, and batch them
	l.inTwoSteps(l.target, "target", 3)
	l.single(lane, []byte("late"), time.Now().UnixMilli(), remoting.Property{Name: remoting.PropDelay, Value: "1"})
	l.natively(l.source, lane.Source, "source again", each)
	run = l.start("two", l.lanes, both)
	l.waitFor("both sides hold everything", func() bool {
		here, there := l.kinds(l.source), l.kinds(l.target)
		return here["late"] == 1 && there["late"] == 1 && here["target transaction 2"] > 0 && len(here) == len(there)
	}, func() any { return run.progress() })
	l.untilCopied(run)
	run.stop()
	l.verified("the migration", l.target, l.names(), l.lanes)

	same := replica.Names{Group: l.group + "-copy", Source: "Source", Target: "Target"}
	again := l.start("same target", l.lanes, func(r *Replicator) { r.options.Names = same })
	l.waitFor("it has looked at all", func() bool { return l.done(l.target, same, l.lanes) },
		func() any { return again.progress() })
	if p := again.stop(); p.Copied > 0 {
		t.Errorf("%d messages were copied once more to the target that has them", p.Copied)
	}
	l.verified("a copy to the same target", l.target, same, l.lanes)

	second := l.renamedTarget(l.topic + "-second")
	lanes, err := replica.LanesOf(l.ctx, l.source, second, l.topic)
	if err != nil {
		t.Fatal(err)
	}
	names := replica.Names{Group: l.group + "-second", Source: "Source", Target: "Second"}
	for range 2 { // the second run finds its place by the copies
		r := NewReplicator(l.from, second, Options{Names: names, Holder: "second target"})
		r.timing.report = 20 * time.Millisecond
		c := l.run(r, lanes)
		l.waitFor("everything is on the second target", func() bool { return l.done(second, names, lanes) },
			func() any { return c.progress() })
		c.stop()
		want := int64(0)
		for _, one := range lanes {
			want += int64(len(l.bodies(l.source, one.Source)))
		}
		if got := l.verified("a copy to a second target", second, names, lanes); got != want {
			t.Errorf("%d copies compared on the second target, wanted %d", got, want)
		}
		l.natively(l.source, lane.Source, "between", each)
	}
}

// done reports whether the progress of all lanes has reached the ends of the source's queues.
func (l *live) done(target *rocketmq.Cluster, names replica.Names, lanes []lane.Lane) bool {
	for _, lane := range lanes {
		copied, end, err := positions.New(l.source, target, names).Progress(l.ctx, lane)
		if err != nil || copied != end {
			return false
		}
	}
	return true
}

// renamedTarget is the target with another topic of that name behind the test's own: a second
// target.
func (l *live) renamedTarget(name string) *rocketmq.Cluster {
	l.Helper()
	client := rocketmq.NewClient(rocketmq.Options{Renames: rocketmq.Renames{Topics: map[string]string{l.topic: name}}})
	l.Cleanup(client.Close)
	second := rocketmq.NewCluster(client, l.target.NameServers())
	queues := 0
	for _, lane := range l.lanes {
		queues = max(queues, lane.Target.ID+1)
	}
	l.make(second, queues)
	return second
}
