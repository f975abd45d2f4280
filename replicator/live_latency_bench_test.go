package replicator

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// BenchmarkLiveLatency sends 200 messages a second, one by one, and measures from when the source
// has acknowledged a message until a reader of the target, which waits for it, has it.
func BenchmarkLiveLatency(b *testing.B) {
	source := ownCluster(b, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	target := ownCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	for range b.N {
		const warm, measured = 400, 2000
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		topic := fmt.Sprint("latency-", time.Now().UnixNano())
		makeTopic(b, ctx, source, topic, 1)
		makeTopic(b, ctx, target, topic, 1)
		lanes, err := replica.LanesOf(ctx, source, target, topic)
		if err != nil {
			b.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			r := NewReplicator(source, target,
				Options{Names: replica.Names{Group: "rocketshift-" + topic, Source: "S", Target: "T"}, Holder: "bench"})
			ended <- r.Run(ctx, lanes, func(lane.Progress) {})
		}()
		stored := make(chan time.Time, warm+measured)
		go sendSteadily(b, ctx, source, topic, warm+measured, stored)
		waits := readAll(b, ctx, target, lanes[0], warm+measured, stored)[warm:]
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		slices.Sort(waits)
		for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
			at := min(int(share*float64(len(waits))), len(waits)-1)
			b.ReportMetric(float64(waits[at].Microseconds())/1000, name)
		}
		b.ReportMetric(0, "ns/op")
	}
}

func sendSteadily(
	b *testing.B,
	ctx context.Context,
	cluster *rocketmq.Cluster,
	topic string,
	messages int,
	stored chan<- time.Time,
) {
	brokers, err := cluster.Brokers(ctx)
	if err != nil {
		b.Error(err)
		return
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range messages {
		<-tick.C
		_, err := cluster.Client().SendMessage(ctx, brokers[0].Addr, rocketmq.SendRequest{
			Group: "writer", Topic: topic, BornTimestamp: time.Now().UnixMilli(), Body: make([]byte, 1024),
			Properties: []byte("KEYS\x01k\x02"),
		})
		if err != nil {
			b.Error(err)
			return
		}
		stored <- time.Now()
	}
}

// readAll reads the target with long pulls, and returns how long after its acknowledgement each
// message was there.
func readAll(
	b *testing.B,
	ctx context.Context,
	target *rocketmq.Cluster,
	lane lane.Lane,
	messages int,
	stored <-chan time.Time,
) (waits []time.Duration) {
	side := replica.NewBrokers("target", target)
	for next := int64(0); len(waits) < messages; {
		result, err := side.Pull(ctx, "reader", lane.Topic, lane.Target, next, 32, 5*time.Second)
		if err != nil {
			b.Fatal(err)
		}
		now := time.Now()
		for range result.Messages {
			waits = append(waits,
				now.Sub(<-stored)) // may be a little negative: the copy can be faster than the acknowledgement
		}
		next += int64(len(result.Messages))
	}
	return waits
}
