package lane

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// Back is the same lane in the other direction.
func (l Lane) Back() Lane { l.Source, l.Target = l.Target, l.Source; return l }

// Span is the offsets [From, To).
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Pair makes lanes of a topic's queues: the i-th source queue with the i-th target queue in client
// order (broker name, then queue id). So clients find a key in the same place on either side.
func Pair(topic string, source, target []Queue) ([]Lane, error) {
	if len(source) != len(target) {
		return nil, fmt.Errorf(
			"topic %s: the source has %d queues (%s) and the target %d (%s), so they can't be paired", topic,
			len(source), PerBroker(source), len(target), PerBroker(target),
		)
	}
	source, target = clientOrder(source), clientOrder(target)
	lanes := make([]Lane, len(source))
	for i := range source {
		lanes[i] = Lane{Topic: topic, Index: i, Source: source[i], Target: target[i]}
	}
	return lanes, nil
}

// MostQueues is how many queues a topic may have on a side. Brokers allow up to 2^31, which would
// need 240 GB here. Topics have tens of queues, and the largest ones a few thousand.
const MostQueues = 16 << 10

func clientOrder(queues []Queue) []Queue {
	return slices.SortedFunc(slices.Values(queues), func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
	})
}

// PerBroker says how many queues each broker has, such as "broker-a 4, broker-b 4".
func PerBroker(queues []Queue) string {
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
