package replicator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// load is what a benchmark copies.
type load struct {
	name     string
	queues   int
	messages int // altogether
	body     int
}

var loads = []load{
	{"100B", 8, 400_000, 100},
	{"1KB", 8, 400_000, 1 << 10},
	{"64KB", 8, 6_000, 64 << 10},
	{"1KB-one-queue", 1, 200_000, 1 << 10},
}

// BenchmarkLiveCopy copies a history from 4.9.7 to 5.3.3, and measures before and after it how fast
// the target takes the same batches from a writer that does nothing else. Reported are the rate,
// its share of that ceiling, and the CPU seconds that the copier needs for a million messages.
func BenchmarkLiveCopy(b *testing.B) {
	source := ownCluster(b, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	target := ownCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			for n := range b.N {
				benchCopy(b, source, target, l, n)
			}
		})
	}
}

func ownCluster(b *testing.B, spec lab.ClusterSpec) *rocketmq.Cluster {
	cluster := labtest.OwnCluster(b, spec)
	client := rocketmq.NewClient(rocketmq.Options{})
	b.Cleanup(client.Close)
	return rocketmq.NewCluster(client, cluster.NameServers)
}

func benchCopy(b *testing.B, source, target *rocketmq.Cluster, l load, n int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	topic := fmt.Sprintf("bench-%s-%d-%d", l.name, n, time.Now().UnixNano())
	for _, t := range []string{topic, topic + "-raw"} {
		for _, cluster := range []*rocketmq.Cluster{source, target} {
			makeTopic(b, ctx, cluster, t, l.queues)
		}
	}
	writeRaw(b, ctx, source, topic, l)
	raw := writeRaw(b, ctx, target, topic+"-raw", l)
	lanes, err := replica.LanesOf(ctx, source, target, topic)
	if err != nil {
		b.Fatal(err)
	}
	r := NewReplicator(source, target,
		Options{Names: replica.Names{Group: "rocketshift-" + topic, Source: "S", Target: "T"}, Holder: "bench"})
	r.timing.report = 5 * time.Millisecond
	running, stop := context.WithCancel(ctx)
	cpu, begin := cpuTime(b), time.Now()
	var took, used time.Duration
	err = r.Run(running, lanes, func(p lane.Progress) {
		if p.Copied >= int64(l.messages) && took == 0 {
			took, used = time.Since(begin), cpuTime(b)-cpu
			stop()
		}
	})
	stop()
	if err != nil || took == 0 {
		b.Fatalf("%v; not copied in time", err)
	}
	raw = (raw + writeRaw(b, ctx, target, topic+"-raw", l)) / 2
	rate := float64(l.messages) / took.Seconds()
	b.ReportMetric(rate, "msg/s")
	b.ReportMetric(rate*float64(l.body)/(1<<20), "MiB/s")
	b.ReportMetric(100*rate/raw, "%ofraw")
	b.ReportMetric(used.Seconds()/float64(l.messages)*1e6, "cpu-s/M")
	b.ReportMetric(0, "ns/op")
}

func makeTopic(b *testing.B, ctx context.Context, cluster *rocketmq.Cluster, topic string, queues int) {
	brokers, err := cluster.Brokers(ctx)
	if err != nil {
		b.Fatal(err)
	}
	config := rocketmq.TopicConfig{
		Name:        topic,
		ReadQueues:  queues,
		WriteQueues: queues,
		Perm:        6,
		FilterType:  "SINGLE_TAG",
	}
	if err := cluster.Client().CreateTopic(ctx, brokers[0].Addr, config); err != nil {
		b.Fatal(err)
	}
}

// writeRaw writes the load as fast as one batch in flight per queue goes, and returns messages per
// second.
func writeRaw(b *testing.B, ctx context.Context, cluster *rocketmq.Cluster, topic string, l load) float64 {
	brokers, err := cluster.Brokers(ctx)
	if err != nil {
		b.Fatal(err)
	}
	size := min(300, (1<<20)/l.body)
	body := make([]byte, l.body)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	begin := time.Now()
	var group errgroup.Group
	for queue := range l.queues {
		group.Go(func() error {
			for left := l.messages / l.queues; left > 0; left -= size {
				batch := rocketmq.BatchRequest{
					Group:         "writer",
					Topic:         topic,
					Queue:         queue,
					BornTimestamp: time.Now().UnixMilli(),
				}
				for i := range min(left, size) {
					batch.Messages = append(batch.Messages, rocketmq.BatchMessage{
						Body: body, Properties: fmt.Appendf(nil, "KEYS\x01k%d\x02TAGS\x01tag\x02UNIQ_KEY\x017F000001000000000000%08d\x02", i, left-i),
					})
				}
				if err := remoting.Retry(ctx, func() error {
					_, err := cluster.Client().SendBatch(ctx, brokers[0].Addr, batch)
					return err
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return float64(l.messages) / time.Since(begin).Seconds()
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
