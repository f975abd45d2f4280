package replicator

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/lab"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// BenchmarkLiveIdleLanes runs 10,000 lanes whose queues are empty, 100 topics of 100 queues, and
// reports the time until all of them wait for messages, the memory of this process then, and the
// CPU that it uses while nothing happens, in per cent of a core.
func BenchmarkLiveIdleLanes(b *testing.B) {
	source := ownCluster(b, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	target := ownCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	const topics, queues = 100, 100
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	var making errgroup.Group
	making.SetLimit(4)
	for i := range topics {
		making.Go(func() error {
			makeTopic(b, ctx, source, fmt.Sprint("idle-", i), queues)
			makeTopic(b, ctx, target, fmt.Sprint("idle-", i), queues)
			return nil
		})
	}
	_ = making.Wait()
	var lanes []lane.Lane
	for i := range topics {
		some, err := replica.LanesOf(ctx, source, target, fmt.Sprint("idle-", i))
		if err != nil {
			b.Fatal(err)
		}
		lanes = append(lanes, some...)
	}
	for range b.N {
		before := resident(b)
		r := NewReplicator(source, target,
			Options{Names: replica.Names{Group: "rocketshift-idle", Source: "S", Target: "T"}, Holder: "bench"})
		running, stop := context.WithCancel(ctx)
		begin := time.Now()
		var ready time.Duration
		const watch = 30 * time.Second
		var used time.Duration
		var held float64
		err := r.Run(running, lanes, func(p lane.Progress) {
			switch {
			case ready == 0 && p.CaughtUp == topics*queues:
				ready, used = time.Since(begin), cpuTime(b)
			case ready > 0 && held == 0 && time.Since(begin) > ready+watch:
				used, held = cpuTime(b)-used, resident(b)
				stop()
			case ready == 0 && time.Since(begin) > 3*time.Minute:
				b.Errorf("after 3 minutes: %+v", p)
				stop()
			}
		})
		stop()
		if err != nil || held == 0 {
			b.Fatalf("%v; the lanes didn't come to rest", err)
		}
		b.ReportMetric(ready.Seconds(), "s-to-start")
		b.ReportMetric(held, "MB")
		b.ReportMetric(held-before, "MB-grown")
		b.ReportMetric(100*used.Seconds()/watch.Seconds(), "%core-idle")
		b.ReportMetric(0, "ns/op")
	}
}

// resident is the memory of this process in megabytes.
func resident(b *testing.B) float64 {
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here: memory can't be measured")
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
