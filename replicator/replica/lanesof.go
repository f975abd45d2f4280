package replica

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// LanesOf pairs the queues of a topic, as the brokers of both sides have it configured.
func LanesOf(ctx context.Context, source, target *rocketmq.Cluster, topic string) ([]lane.Lane, error) {
	from, err := queuesOf(ctx, source, topic)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	to, err := queuesOf(ctx, target, topic)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return lane.Pair(topic, from, to)
}

// queuesOf lists a topic's queues, also those that are only read or only written: either may hold
// messages.
func queuesOf(ctx context.Context, cluster *rocketmq.Cluster, topic string) ([]lane.Queue, error) {
	brokers, err := cluster.TopicConfigs(ctx, []string{topic})
	if err != nil {
		return nil, err
	}
	return list(brokers, topic)
}

// list is queuesOf from the settings of brokers. A topic of more than MostQueues queues is an
// error.
func list(brokers map[string]map[string]rocketmq.TopicConfig, topic string) (queues []lane.Queue, err error) {
	for _, broker := range slices.Sorted(maps.Keys(brokers)) {
		config := brokers[broker][topic]
		n := config.Queues()
		if n > lane.MostQueues-len(queues) {
			return nil, fmt.Errorf(
				"topic %s has %d queues on broker %s: a topic of more than %d can't be copied", topic, n,
				broker, lane.MostQueues,
			)
		}
		for id := range n {
			queues = append(queues, lane.Queue{Broker: broker, ID: id})
		}
	}
	return queues, nil
}
