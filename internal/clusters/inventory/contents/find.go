package contents

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Find is the area. Besides the samples it asks how much the topics of replies and traces hold, and
// which of the target's topics are light ones.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) (all []api.Finding, err error) {
	held := map[string]int64{}
	for _, topic := range ownTopics(seen) {
		if held[topic], err = stored(ctx, sides.Source, seen, topic); err != nil {
			return nil, err
		}
	}
	light, err := lightTopics(ctx, sides.Target, seen)
	if err != nil {
		return nil, err
	}
	return slices.Concat(
		repliesOf(seen, held), tracesOf(seen, held), sizesOf(seen), lightQueues(seen), targetLight(seen, light),
	), nil
}

// ownTopics are RocketMQ's own topics that applications use: those of replies and of traces.
func ownTopics(seen facts.Facts) (names []string) {
	for _, topic := range clusters.SortedKeys(seen.Topics) {
		if _, reply := rocketmq.ReplyCluster(topic); reply || slices.Contains(traceTopics(seen), topic) {
			names = append(names, topic)
		}
	}
	return names
}

// stored is how many messages a topic of the source holds.
func stored(ctx context.Context, c *clusters.One, seen facts.Facts, topic string) (n int64, err error) {
	ranges, err := c.Ranges(ctx, seen.Brokers, seen.Topics, topic)
	if err != nil && remoting.CodeOf(err) < 0 {
		return 0, err
	}
	for _, span := range ranges {
		n += span.Max - span.Min
	}
	return n, nil
}
