package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsCountedIsTold(t *testing.T) {
	var c Counts
	c.Request(Send, 100)
	c.Request(Send, 50)
	c.Answer(Pull, 7)
	c.Moved("home", Done)
	c.Moved("what a caller invents", Refused)
	c.Held("side", 30*time.Millisecond)
	c.Sends[Target].Observe(3 * time.Millisecond)
	c.Sends[Target].Observe(time.Hour)
	c.HeldSends.Add(4)
	collector := NewCollector(&c, func() Now {
		return Now{
			Epoch:       12,
			Homes:       [2]int{5, 3},
			Fenced:      true,
			Reached:     map[string]int64{"views": 1},
			Panics:      2,
			StateErrors: 1,
		}
	})
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(collector))
	all, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			key := strings.TrimPrefix(family.GetName(), "rocketshift_gateway_") + " " + strings.Join(labels,
				",")
			switch {
			case m.GetGauge() != nil:
				values[key] = m.GetGauge().GetValue()
			case m.GetCounter() != nil:
				values[key] = m.GetCounter().GetValue()
			case m.GetHistogram() != nil:
				values[key] = float64(m.GetHistogram().GetSampleCount())
				for _, b := range m.GetHistogram().GetBucket() {
					if b.GetUpperBound() == 0.005 {
						values[key+" to 5 ms"] = float64(b.GetCumulativeCount())
					}
				}
			}
		}
	}
	for key, wanted := range map[string]float64{
		"requests_total send": 2, "request_bytes_total send": 150, "answer_bytes_total " +
			"pull": 7, "moves_total home,done": 1,
		"moves_total other,refused": 1, "hold_seconds side": 1, "hold_seconds side to 5 " +
			"ms": 0, "send_seconds target": 2,
		"send_seconds target to 5 ms": 1, "send_seconds source": 0, "bounds_reached_total " +
			"views": 1, "memory_limit_bytes ": 0,
		"epoch ": 12, "fenced ": 1, "in_doubt ": 0, "held_sends ": 4, "homes source": 5, "homes " +
			"target": 3, "panics_total ": 2,
		"state_write_errors_total ": 1,
	} {
		got, there := values[key]
		assert.True(t, there, key)
		assert.InDelta(t, wanted, got, 0, key)
	}
	assert.Less(t, len(values), 150, "labels are few")
}

// On the way of every message.
func TestCountingTakesNoMemory(t *testing.T) {
	var c Counts
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c.Request(Send, 100)
		c.Sends[Source].Observe(2 * time.Millisecond)
		c.Answer(Send, 10)
	}))
}

func BenchmarkCountingASend(b *testing.B) {
	var c Counts
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			c.Request(Send, 100)
			c.Sends[Source].Observe(2 * time.Millisecond)
			c.Answer(Send, 10)
		}
	})
}
