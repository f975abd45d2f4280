package unused

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// Find is the area. Besides the facts it asks for the ends of queues that positions tell of, and
// topics don't have any more.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) ([]api.Finding, error) {
	gone, err := goneQueues(ctx, sides.Source, seen)
	if err != nil {
		return nil, err
	}
	return slices.Concat(leftQueues(seen, gone), idleGroups(seen), idleTopics(seen)), nil
}

// idleGroups tells of selected groups without members: those that have no positions either, and
// those that have read nothing for longer than messages are kept. Each is one finding, as large
// clusters have thousands of them.
func idleGroups(seen facts.Facts) (all []api.Finding) {
	var unused, behind []string
	for _, group := range seen.GroupNames {
		if len(seen.Online[group].Members) > 0 {
			continue
		}
		read, left := reads(seen, group)
		switch {
		case read == 0:
			unused = append(unused, group)
		case left == read:
			behind = append(behind, group)
		}
	}
	if len(unused) > 0 {
		all = append(all, findings.GroupUnused.Advice("groups "+printable.Listed(unused), "",
			"%d groups have neither members nor positions on a selected topic", len(unused)))
	}
	if len(behind) > 0 {
		all = append(all, findings.GroupAbandoned.Warning("groups "+printable.Listed(behind), "",
			"%d groups have no members, and all of what they would read next is deleted already", len(behind)))
	}
	return all
}

// reads counts the queues of selected topics on which a group has positions, and those of them on
// which what it would read next is deleted.
func reads(seen facts.Facts, group string) (queues, deleted int) {
	for topic, positions := range seen.Positions[group] {
		ranges, selected := seen.Ranges[topic]
		if !selected {
			continue
		}
		for queue, offset := range positions {
			queues++ // one that the topic had once, too: somebody used the group
			if span, here := ranges[queue]; here && offset < span.Min {
				deleted++
			}
		}
	}
	return queues, deleted
}

// idleTopics tells of selected topics that hold nothing and that nobody reads.
func idleTopics(seen facts.Facts) []api.Finding {
	var idle []string
	for _, topic := range seen.TopicNames {
		if seen.Messages[topic] == 0 && len(seen.Readers[topic]) == 0 {
			idle = append(idle, topic)
		}
	}
	if len(idle) == 0 {
		return nil
	}
	return []api.Finding{findings.TopicUnused.Advice("topics "+printable.Listed(idle), "",
		"%d topics hold no message and have no readers", len(idle))}
}

// gone is a queue that a topic had once, and the messages that it holds.
type gone struct {
	topic string
	queue lane.Queue
	held  int64
}

// mostGone bounds how many such queues are asked for.
const mostGone = 500

// goneQueues finds queues beyond those that topics have now: groups have positions there, and
// brokers keep what they hold until its time is over.
func goneQueues(ctx context.Context, c *clusters.One, seen facts.Facts) ([]gone, error) {
	beyond := beyondTopics(seen)
	beyond = beyond[:min(len(beyond), mostGone)]
	addr := clusters.AddressesOf(seen.Brokers)
	err := clusters.Each(ctx, clusters.Indexes(beyond), func(ctx context.Context, i int) error {
		q := &beyond[i]
		end, err := c.Client().MaxOffset(ctx, addr[q.queue.Broker], q.topic, q.queue.ID)
		if err != nil && remoting.CodeOf(err) >= 0 {
			return nil // it has no such queue
		}
		if err != nil {
			return err
		}
		first, err := c.Client().MinOffset(ctx, addr[q.queue.Broker], q.topic, q.queue.ID)
		q.held = max(0, end) - max(0, first)
		return err
	})
	return beyond, c.Explain(ctx, err)
}

func beyondTopics(seen facts.Facts) (all []gone) {
	known := map[string]bool{}
	for _, group := range clusters.SortedKeys(seen.Positions) {
		for topic, positions := range seen.Positions[group] {
			for _, queue := range clusters.SortedQueues(positions) {
				key := fmt.Sprint(topic, queue)
				config, has := seen.Topics[topic][queue.Broker]
				if !has || queue.ID < config.Queues() || known[key] || seen.Ranges[topic] == nil {
					continue
				}
				known[key] = true
				all = append(all, gone{topic: topic, queue: queue})
			}
		}
	}
	return all
}

func leftQueues(seen facts.Facts, all []gone) (found []api.Finding) {
	of := map[string][]gone{}
	for _, q := range all {
		if q.held > 0 {
			of[q.topic] = append(of[q.topic], q)
		}
	}
	for _, topic := range clusters.SortedKeys(of) {
		one := findings.QueuesLeft.Warning("topic "+topic, "",
			"holds messages in %d queues that it doesn't have any more", len(of[topic]))
		for _, q := range of[topic] {
			one = one.With(seen.At, "queue %s holds %d messages, and the topic has %d queues there", q.queue, q.held,
				queuesOf(seen.Topics[topic], q.queue.Broker))
		}
		found = append(found, one)
	}
	return found
}

func queuesOf(configs map[string]rocketmq.TopicConfig, broker string) int {
	return configs[broker].Queues()
}
