package replicator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq"
)

// Queue is one queue of a topic on one side.
type Queue struct {
	Broker string `json:"broker"`
	ID     int    `json:"id"`
}

func (q Queue) String() string { return fmt.Sprintf("%s/%d", q.Broker, q.ID) }

// Lane is a source queue and its target queue: the two replicas of one log.
type Lane struct {
	Topic  string `json:"topic"`
	Index  int    `json:"index"` // place in client order, the same on both sides
	Source Queue  `json:"source"`
	Target Queue  `json:"target"`
}

func (l Lane) String() string {
	return fmt.Sprintf("topic %s, source %s, target %s", l.Topic, l.Source, l.Target)
}

// Pair makes lanes of a topic's queues: the i-th source queue with the i-th target queue in client order (broker name, then
// queue id), so that a key goes to the same place for clients that look at either side.
func Pair(topic string, source, target []Queue) ([]Lane, error) {
	if len(source) != len(target) {
		return nil, fmt.Errorf("topic %s: the source has %d queues (%s) and the target %d (%s), so they can't be paired",
			topic, len(source), perBroker(source), len(target), perBroker(target))
	}
	source, target = clientOrder(source), clientOrder(target)
	lanes := make([]Lane, len(source))
	for i := range source {
		lanes[i] = Lane{Topic: topic, Index: i, Source: source[i], Target: target[i]}
	}
	return lanes, nil
}

// LanesOf pairs the queues of a topic as both sides' brokers have it configured.
func LanesOf(ctx context.Context, source, target *rocketmq.Cluster, topic string) ([]Lane, error) {
	from, err := queuesOf(ctx, source, topic)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	to, err := queuesOf(ctx, target, topic)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return Pair(topic, from, to)
}

// queuesOf lists a topic's queues. A queue that is only read or only written counts too: either may hold messages.
func queuesOf(ctx context.Context, cluster *rocketmq.Cluster, topic string) ([]Queue, error) {
	brokers, err := cluster.TopicConfigs(ctx, []string{topic})
	if err != nil {
		return nil, err
	}
	return list(brokers, topic)
}

// MostQueues is how many queues a topic may have on a side. Brokers take up to 2^31, which would need 240 GB here; operators give topics
// tens, and the largest ones a few thousand.
const MostQueues = 16 << 10

// list is queuesOf by what brokers say. A topic of more than MostQueues is an error.
func list(brokers map[string]map[string]rocketmq.TopicConfig, topic string) (queues []Queue, err error) {
	for _, broker := range slices.Sorted(maps.Keys(brokers)) {
		config := brokers[broker][topic]
		n := config.Queues()
		if n > MostQueues-len(queues) {
			return nil, fmt.Errorf("topic %s has %d queues on broker %s: a topic of more than %d can't be copied", topic, n, broker, MostQueues)
		}
		for id := range n {
			queues = append(queues, Queue{broker, id})
		}
	}
	return queues, nil
}

func clientOrder(queues []Queue) []Queue {
	return slices.SortedFunc(slices.Values(queues), func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
	})
}

// perBroker says how many queues each broker has, such as "broker-a 4, broker-b 4".
func perBroker(queues []Queue) string {
	counts := map[string]int{}
	for _, q := range queues {
		counts[q.Broker]++
	}
	var parts []string
	for _, q := range clientOrder(queues) {
		if n, ok := counts[q.Broker]; ok {
			parts = append(parts, fmt.Sprintf("%s %d", q.Broker, n))
			delete(counts, q.Broker)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
