package storage

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

const (
	// usualKept is how long brokers keep messages (fileReservedTime, hours).
	usualKept = 72
	// mostAged is how many groups' lags on topics are looked up in time, the largest ones: each
	// costs one pull of one message.
	mostAged = 300
	// atRisk is the share of that time from which a lag is told: brokers delete whole files.
	atRisk = 0.8
)

// behind is how far a group is behind on a topic, on the queue where it is furthest.
type behind struct {
	group, topic string
	queue        lane.Queue
	position     int64
	lag, lost    int64 // messages to read, and messages that were deleted unread, on all queues
	next         time.Time
}

// lagging are the groups that are behind or have lost messages, the largest lags first.
func lagging(seen facts.Facts) (all []behind) {
	for _, group := range seen.GroupNames {
		for topic, positions := range seen.Positions[group] {
			b := behind{group: group, topic: topic}
			furthest := int64(0)
			for _, queue := range clusters.SortedQueues(positions) {
				span, here := seen.Ranges[topic][queue]
				if !here {
					continue
				}
				b.lost += max(0, span.Min-positions[queue])
				lag := span.Max - max(span.Min, positions[queue])
				b.lag += max(0, lag)
				if lag > furthest {
					furthest, b.queue, b.position = lag, queue, max(span.Min, positions[queue])
				}
			}
			if b.lag > 0 {
				all = append(all, b)
			}
		}
	}
	slices.SortFunc(all, func(a, b behind) int {
		return cmp.Or(
			cmp.Compare(b.lost+b.lag, a.lost+a.lag),
			cmp.Compare(a.group, b.group),
			cmp.Compare(a.topic, b.topic),
		)
	})
	return all
}

// age looks up when the next message of each was stored.
func age(ctx context.Context, c *clusters.One, all []behind, brokers []rocketmq.Broker) error {
	addr := clusters.AddressesOf(brokers)
	return clusters.Each(ctx, clusters.Indexes(all), func(ctx context.Context, i int) error {
		b := &all[i]
		got, err := c.Client().Pull(ctx, addr[b.queue.Broker], rocketmq.PullRequest{
			Group: metadata.SampleGroup, Topic: b.topic, Queue: b.queue.ID, Offset: b.position, Max: 1,
		})
		defer got.Release()
		if err != nil && remoting.CodeOf(err) < 0 {
			return err
		}
		if len(got.Messages) > 0 {
			b.next = time.UnixMilli(got.Messages[0].StoreTimestamp)
		}
		return nil
	})
}

// lagFindings tell of groups that lose messages, or soon do, because they are not read in time.
func lagFindings(all []behind, kept time.Duration, seen facts.Facts) (found []api.Finding) {
	for _, b := range all {
		old := seen.At.Sub(b.next)
		late := !b.next.IsZero() && old > time.Duration(float64(kept)*atRisk)
		if b.lost == 0 && !late {
			continue
		}
		one := findings.LagAtRisk.Warning("group "+b.group, "",
			"is so far behind on topic %s that messages are deleted before it reads them", b.topic)
		if late {
			one = one.With(
				seen.At,
				"what it reads next was stored %s ago; brokers keep messages for %s (fileReservedTime)",
				old.Round(time.Minute),
				kept,
			)
		}
		if b.lost > 0 {
			one = one.With(seen.At, "%d messages were deleted before it read them", b.lost)
		}
		found = append(found, one.With(seen.At, "it is %d messages behind", b.lag))
	}
	return found
}

// keptFor is the shortest time for which a broker of the source keeps messages.
func keptFor(seen facts.Facts) time.Duration {
	hours := 0
	for _, b := range seen.Configured {
		n, err := strconv.Atoi(b.Values["fileReservedTime"])
		if err == nil && n > 0 && (hours == 0 || n < hours) {
			hours = n
		}
	}
	return time.Duration(cmp.Or(hours, usualKept)) * time.Hour
}
