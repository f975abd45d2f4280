package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// layout is how both sides are laid out at one moment.
type layout struct {
	sourceBrokers, targetBrokers []rocketmq.Broker
	sourceTopics, targetTopics   topicTable
}

func (s sides) layout(ctx context.Context) (l layout, err error) {
	if l.sourceBrokers, err = s.source.brokers(ctx); err != nil {
		return l, err
	}
	if l.targetBrokers, err = s.target.brokers(ctx); err != nil {
		return l, err
	}
	if l.sourceTopics, err = s.source.topicTable(ctx, l.sourceBrokers, nil); err != nil {
		return l, err
	}
	l.targetTopics, err = s.target.topicTable(ctx, l.targetBrokers, sortedKeys(l.sourceTopics))
	return l, err
}

// wholeLayout is the layout of sides of which everything is seen.
func (s sides) wholeLayout(ctx context.Context) (layout, error) {
	if err := s.whole(ctx); err != nil {
		return layout{}, err
	}
	return s.layout(ctx)
}

// movableLayout is the whole layout, of a source whose brokers have their masters: what is to move
// to the target is looked for in it.
func (s sides) movableLayout(ctx context.Context) (layout, error) {
	l, err := s.wholeLayout(ctx)
	if err != nil {
		return l, err
	}
	return l, s.source.mastered(l.sourceBrokers)
}

// brokers and topics of one side.
func (l layout) of(side api.Side) ([]rocketmq.Broker, topicTable) {
	if side == api.Target {
		return l.targetBrokers, l.targetTopics
	}
	return l.sourceBrokers, l.sourceTopics
}

// lanes pairs the queues of a topic. A side that shows fewer queues, because a broker is gone or a
// topic was changed, is an error: what can't be paired can't be measured either.
func (l layout) lanes(topic string) ([]lane.Lane, error) {
	if _, own := groupOf(topic); own {
		return l.groupLanes(topic)
	}
	lanes, err := lane.Pair(topic, l.sourceTopics.queues(topic), l.targetTopics.queues(topic))
	if err != nil {
		return nil, fault.NotReady("%v: is a broker down, or was the topic changed? Run ImportMetadata to compare", err)
	}
	return lanes, nil
}

// allLanes pairs the queues of several topics.
func (l layout) allLanes(topics []string) ([]lane.Lane, error) {
	var all []lane.Lane
	for _, topic := range topics {
		lanes, err := l.lanes(topic)
		if err != nil {
			return nil, err
		}
		all = append(all, lanes...)
	}
	return all, nil
}

// queue is the lane's queue on a side.
func queueOf(lane lane.Lane, side api.Side) lane.Queue {
	if side == api.Target {
		return lane.Target
	}
	return lane.Source
}

func addresses(brokers []rocketmq.Broker) map[string]string {
	byName := map[string]string{}
	for _, b := range brokers {
		byName[b.Name] = b.Addr
	}
	return byName
}
