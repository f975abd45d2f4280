package clusters

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Canaries is the topic, once it is on both sides.
func (l Layout) Canaries(p plan.Plan) []string {
	topic := CanaryTopic(p)
	if len(l.SourceTopics[topic]) == 0 || len(l.TargetTopics[topic]) == 0 {
		return nil
	}
	return []string{topic}
}

// Layout is how both sides are laid out at one moment.
type Layout struct {
	SourceBrokers, TargetBrokers []rocketmq.Broker
	SourceTopics, TargetTopics   TopicTable
}

// Layout reads how both sides are laid out now.
func (s Both) Layout(ctx context.Context) (l Layout, err error) {
	if l.SourceBrokers, err = s.Source.FindBrokers(ctx); err != nil {
		return l, err
	}
	if l.TargetBrokers, err = s.Target.FindBrokers(ctx); err != nil {
		return l, err
	}
	if l.SourceTopics, err = s.Source.TopicTable(ctx, l.SourceBrokers, nil); err != nil {
		return l, err
	}
	l.TargetTopics, err = s.Target.TopicTable(ctx, l.TargetBrokers, SortedKeys(l.SourceTopics))
	return l, err
}

// WholeLayout is the layout of sides of which everything is seen.
func (s Both) WholeLayout(ctx context.Context) (Layout, error) {
	if err := s.Whole(ctx); err != nil {
		return Layout{}, err
	}
	return s.Layout(ctx)
}

// MovableLayout is the whole layout, of a source whose brokers have their masters: what is to move
// to the target is looked for in it.
func (s Both) MovableLayout(ctx context.Context) (Layout, error) {
	l, err := s.WholeLayout(ctx)
	if err != nil {
		return l, err
	}
	return l, s.Source.Mastered(l.SourceBrokers)
}

// brokers and topics of one side.
func (l Layout) Of(side api.Side) ([]rocketmq.Broker, TopicTable) {
	if side == api.Target {
		return l.TargetBrokers, l.TargetTopics
	}
	return l.SourceBrokers, l.SourceTopics
}

// Lanes pairs the queues of a topic. A side that shows fewer queues, because a broker is gone or a
// topic was changed, is an error: what can't be paired can't be measured either.
func (l Layout) Lanes(topic string) ([]lane.Lane, error) {
	if _, own := GroupOf(topic); own {
		return l.GroupLanes(topic)
	}
	lanes, err := lane.Pair(topic, l.SourceTopics.Queues(topic), l.TargetTopics.Queues(topic))
	if err != nil {
		return nil, fault.NotReady("%v: is a broker down, or was the topic changed? Run ImportMetadata to compare", err)
	}
	return lanes, nil
}

// AllLanes pairs the queues of several topics.
func (l Layout) AllLanes(topics []string) ([]lane.Lane, error) {
	var all []lane.Lane
	for _, topic := range topics {
		lanes, err := l.Lanes(topic)
		if err != nil {
			return nil, err
		}
		all = append(all, lanes...)
	}
	return all, nil
}

// queue is the lane's queue on a side.
func QueueOf(lane lane.Lane, side api.Side) lane.Queue {
	if side == api.Target {
		return lane.Target
	}
	return lane.Source
}
