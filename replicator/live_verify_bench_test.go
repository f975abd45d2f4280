package replicator

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/verify"
)

// BenchmarkLiveVerify copies a history from 4.9.7 to 5.3.3 and compares all lanes at once. Reported
// are the rate and the CPU seconds that the comparison needs for a million messages.
func BenchmarkLiveVerify(b *testing.B) {
	source := ownCluster(b, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	target := ownCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			defer cancel()
			names, lanes := copiedHistory(b, ctx, source, target, l)
			cpu, begin := cpuTime(b), time.Now()
			for range b.N {
				benchVerify(b, ctx, source, target, names, lanes, l)
			}
			took, used, messages := time.Since(begin), cpuTime(b)-cpu, float64(l.messages*b.N)
			b.ReportMetric(messages/took.Seconds(), "msg/s")
			b.ReportMetric(used.Seconds()/messages*1e6, "cpu-s/M")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// copiedHistory writes a load and copies it.
func copiedHistory(
	b *testing.B,
	ctx context.Context,
	source, target *rocketmq.Cluster,
	l load,
) (replica.Names, []lane.Lane) {
	topic := fmt.Sprintf("verify-%s-%d", l.name, time.Now().UnixNano())
	makeTopic(b, ctx, source, topic, l.queues)
	makeTopic(b, ctx, target, topic, l.queues)
	writeRaw(b, ctx, source, topic, l)
	lanes, err := replica.LanesOf(ctx, source, target, topic)
	if err != nil {
		b.Fatal(err)
	}
	names := replica.Names{Group: "rocketshift-" + topic, Source: "S", Target: "T"}
	running, stop := context.WithCancel(ctx)
	defer stop()
	err = NewReplicator(source, target,
		Options{Names: names, Holder: "bench"}).Run(running, lanes, func(p lane.Progress) {
		if p.Copied >= int64(l.messages) {
			stop()
		}
	})
	if err != nil || ctx.Err() != nil {
		b.Fatalf("%v, %v; not copied in time", err, ctx.Err())
	}
	return names, lanes
}

func benchVerify(
	b *testing.B,
	ctx context.Context,
	source, target *rocketmq.Cluster,
	names replica.Names,
	lanes []lane.Lane,
	l load,
) {
	var compared, wrong atomic.Int64
	var group errgroup.Group
	for _, lane := range lanes {
		group.Go(func() error {
			r, err := verify.Lane(ctx, source, target, lane, verify.Options{Names: names}, nil)
			compared.Add(r.Compared)
			wrong.Add(r.Missing + r.Extra + r.Altered + r.OutOfOrder + r.Natives)
			return err
		})
	}
	err := group.Wait()
	if all := int64(l.messages / l.queues * l.queues); err != nil || compared.Load() != all || wrong.Load() > 0 {
		b.Fatalf("%v; compared %d with %d differences, wanted %d without", err, compared.Load(), wrong.Load(), all)
	}
}
