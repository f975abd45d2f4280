package routing

import (
	"fmt"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// OnTarget gives queues the names that the target has for them, by broker, and says which is which.
// Retry queues that the target has no pair of stay behind: their locks are the source's.
func (rt *Table) OnTarget(
	queues []bodies.JsonQueue,
) (
	parts map[string][]bodies.JsonQueue, names map[bodies.JsonQueue]bodies.JsonQueue, behind []bodies.JsonQueue, err error,
) {
	parts, names = map[string][]bodies.JsonQueue{}, map[bodies.JsonQueue]bodies.JsonQueue{}
	for _, one := range queues {
		t := rt.Topics.Get([]byte(one.Topic))
		if t == nil {
			return nil, nil, nil, fmt.Errorf("topic %s isn't on the source", one.Topic)
		}
		q := t.Queue([]byte(one.Broker), int64(one.ID))
		if _, retry := rocketmq.RetryGroup(one.Topic); retry && q != nil && q.Lane() == nil {
			behind = append(behind, one)
			continue
		}
		if q == nil || q.Lane() == nil {
			return nil, nil, nil, fmt.Errorf("queue %s of topic %s has no lane to the target",
				lane.Queue{Broker: one.Broker, ID: one.ID}, one.Topic)
		}
		there := q.Lane().Target
		mq := bodies.JsonQueue{Topic: one.Topic, Broker: there.Broker, ID: there.ID}
		parts[there.Broker], names[mq] = append(parts[there.Broker], mq), one
	}
	return parts, names, behind, nil
}
