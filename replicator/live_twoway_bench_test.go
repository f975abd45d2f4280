package replicator

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// countedReads is a side that counts the messages read from it.
type countedReads struct {
	*replica.Brokers
	read atomic.Int64
}

func (c *countedReads) Pull(
	ctx context.Context,
	group, topic string,
	q lane.Queue,
	offset int64,
	most int,
	wait time.Duration,
) (rocketmq.PullResult, error) {
	result, err := c.Brokers.Pull(ctx, group, topic, q, offset, most, wait)
	c.read.Add(int64(len(result.Messages)))
	return result, err
}

// BenchmarkLiveBothWays copies a history with forward lanes alone, and then another one with
// reverse lanes beside them, whose queues have their home on the source. Reported are the CPU of
// each, what the reverse lanes add to it, and how many messages they read.
func BenchmarkLiveBothWays(b *testing.B) {
	source := ownCluster(b, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	target := ownCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	l := load{"1KB", 8, 400_000, 1 << 10}
	var used [2]time.Duration
	var read int64
	for range b.N {
		// a machine that gets slower or faster favours neither
		for way, both := range []bool{false, true, true, false} {
			cpu, reverse := benchWays(b, source, target, l, both, way)
			read += reverse
			if both {
				used[1] += cpu
			} else {
				used[0] += cpu
			}
		}
	}
	messages := float64(2 * b.N * l.messages)
	b.ReportMetric(used[0].Seconds()/messages*1e6, "forward-cpu-s/M")
	b.ReportMetric(used[1].Seconds()/messages*1e6, "both-cpu-s/M")
	b.ReportMetric(100*(used[1].Seconds()/used[0].Seconds()-1), "%more")
	b.ReportMetric(float64(read)/messages*1e6, "reverse-reads/M")
	b.ReportMetric(0, "ns/op")
}

func benchWays(
	b *testing.B,
	source, target *rocketmq.Cluster,
	l load,
	both bool,
	n int,
) (cpu time.Duration, reverse int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	topic := fmt.Sprintf("ways-%d-%d", n, time.Now().UnixNano())
	makeTopic(b, ctx, source, topic, l.queues)
	makeTopic(b, ctx, target, topic, l.queues)
	lanes, err := replica.LanesOf(ctx, source, target, topic)
	if err != nil {
		b.Fatal(err)
	}
	there := &countedReads{Brokers: replica.NewBrokers("target", target)}
	names := replica.Names{Group: "rocketshift-" + topic, Source: "S", Target: "T"}
	r := newReplicator(replica.NewBrokers("source", source), there,
		Options{Names: names, Holder: "bench", BothWays: both})
	r.timing.report = 5 * time.Millisecond
	writeRaw(b, ctx, source, topic, l)
	running, stop := context.WithCancel(ctx)
	defer stop()
	own, copied := cpuTime(b), int64(0)
	err = r.Run(running, lanes, func(p lane.Progress) {
		if copied = p.Copied; copied >= int64(l.messages) && cpu == 0 {
			cpu = cpuTime(b) - own
			stop()
		}
	})
	if err != nil || copied < int64(l.messages) {
		b.Fatalf("%d of %d copied: %v", copied, l.messages, err)
	}
	return cpu, there.read.Load()
}
