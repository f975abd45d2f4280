package replicator

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// What BenchmarkLiveCurve copies: a history, then what is written meanwhile.
const (
	history   = 1_000_000
	livePause = 5 * time.Millisecond // between two live batches
	liveBatch = 50
	liveCount = 2000 // live batches: 10 s
)

// BenchmarkLiveCurve copies a history of a million messages of 1 KB over 1, 8 and 64 lanes, and
// goes on while 10,000 a second are written. Reported are the rate of the history, how steady it
// was (the slowest second of it beside the average one), the CPU of the copier, and how long live
// messages take from the acknowledgement until the lanes count them as copied, looked at each 5 ms.
func BenchmarkLiveCurve(b *testing.B) {
	source := ownCluster(b, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	target := ownCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	for _, queues := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%dlanes", queues), func(b *testing.B) {
			for range b.N {
				benchCurve(b, source, target, queues)
			}
		})
	}
}

func benchCurve(b *testing.B, source, target *rocketmq.Cluster, queues int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	topic := fmt.Sprintf("curve-%d-%d", queues, time.Now().UnixNano())
	makeTopic(b, ctx, source, topic, queues)
	makeTopic(b, ctx, target, topic, queues)
	writeRaw(b, ctx, source, topic, load{queues: queues, messages: history, body: 1 << 10})
	lanes, err := replica.LanesOf(ctx, source, target, topic)
	if err != nil {
		b.Fatal(err)
	}
	r := NewReplicator(source, target,
		Options{Names: replica.Names{Group: "rocketshift-" + topic, Source: "S", Target: "T"}, Holder: "bench"})
	r.timing.report = 5 * time.Millisecond
	c := &course{began: time.Now(), stored: make(chan time.Time, liveCount), cpu: cpuTime(b)}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var live sync.WaitGroup
	err = r.Run(running, lanes, func(p lane.Progress) {
		if c.passed(b, p.Copied) {
			live.Go(func() { writeLive(b, ctx, source, topic, queues, c.stored) })
		}
		if len(c.waits) == liveCount || b.Failed() {
			stop()
		}
	})
	live.Wait()
	if err != nil || len(c.waits) < liveCount {
		b.Fatalf("%v; %d of %d live batches copied", err, len(c.waits), liveCount)
	}
	c.tell(b)
}

// writeLive writes at a steady pace, over all queues in turn.
func writeLive(
	b *testing.B,
	ctx context.Context,
	cluster *rocketmq.Cluster,
	topic string,
	queues int,
	stored chan<- time.Time,
) {
	brokers, err := cluster.Brokers(ctx)
	if err != nil {
		b.Error(err)
		return
	}
	tick := time.NewTicker(livePause)
	defer tick.Stop()
	body := make([]byte, 1<<10)
	for n := range liveCount {
		<-tick.C
		batch := rocketmq.BatchRequest{
			Group:         "writer",
			Topic:         topic,
			Queue:         n % queues,
			BornTimestamp: time.Now().UnixMilli(),
		}
		for range liveBatch {
			batch.Messages = append(batch.Messages,
				rocketmq.BatchMessage{Body: body, Properties: []byte("KEYS\x01k\x02")})
		}
		if _, err := cluster.Client().SendBatch(ctx, brokers[0].Addr, batch); err != nil {
			b.Error(err)
			return
		}
		stored <- time.Now()
	}
}

// course is how a benchmark of history and live messages went.
type course struct {
	began  time.Time
	cpu    time.Duration // used before it began
	took   time.Duration // for the history
	used   time.Duration // CPU for it
	marks  []int64       // copied after each full second of the history
	stored chan time.Time
	waits  []time.Duration // of live batches
}

// passed notes how many messages are copied; true once, when the history is.
func (c *course) passed(b *testing.B, copied int64) (done bool) {
	if c.took == 0 {
		for int64(time.Since(c.began)/time.Second) > int64(len(c.marks)) {
			c.marks = append(c.marks, copied)
		}
		if copied < history {
			return false
		}
		c.took, c.used = time.Since(c.began), cpuTime(b)-c.cpu
		return true
	}
	for int64(len(c.waits)) < (copied-history)/liveBatch {
		c.waits = append(c.waits, time.Since(<-c.stored))
	}
	return false
}

func (c *course) tell(b *testing.B) {
	average, slowest := float64(history)/c.took.Seconds(), float64(history)
	for i := 1; i < len(c.marks); i++ {
		slowest = min(slowest, float64(c.marks[i]-c.marks[i-1]))
	}
	b.ReportMetric(average, "msg/s")
	b.ReportMetric(100*slowest/average, "%slowest-second")
	b.ReportMetric(c.used.Seconds()/history*1e6, "cpu-s/M")
	slices.Sort(c.waits)
	b.ReportMetric(float64(c.waits[len(c.waits)/2].Microseconds())/1000, "live-p50-ms")
	b.ReportMetric(float64(c.waits[len(c.waits)*99/100].Microseconds())/1000, "live-p99-ms")
	b.ReportMetric(0, "ns/op")
}
