package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// upTo are the buckets of durations: from what a hop within a rack takes to the 3 s after which
// stock clients give a send up.
var upTo = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond,
	20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 3 * time.Second,
}

// Histogram counts durations. The zero value is ready.
type Histogram struct {
	buckets [len(upTo) + 1]atomic.Int64
	sum     atomic.Int64 // in nanoseconds
}

// Observe counts one.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(upTo) && d > upTo[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *Histogram) metric(desc *prometheus.Desc, labels ...string) prometheus.Metric {
	var count uint64
	until := make(map[float64]uint64, len(upTo))
	for i := range h.buckets {
		count += uint64(h.buckets[i].Load())
		if i < len(upTo) {
			until[upTo[i].Seconds()] = count
		}
	}
	return prometheus.MustNewConstHistogram(desc, count, time.Duration(h.sum.Load()).Seconds(), until,
		labels...)
}
