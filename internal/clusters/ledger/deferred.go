package ledger

import (
	"context"
	"fmt"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

const (
	// mostHeld is how many messages of one queue, delayed or half, are read to tell those of the
	// migration from those of other applications: 32 at a time, it takes a second or two.
	mostHeld = 2000
	// mostHeldBytes ends that earlier where messages are large.
	mostHeldBytes = 64 << 20
	heldAtOnce    = 32 // what brokers answer at most
)

// ownOnTarget tells the topics of the migration by their names on the target. Other applications
// that use the target have messages there too, which no way back waits for.
func (b *Builder) ownOnTarget() func(topic string) bool {
	names, own := clusters.Renames(b.Plan.Target), map[string]bool{}
	for _, topic := range b.SourceTopics.Selected(b.Plan, b.SourceBrokers) {
		own[names.Topic(topic)] = true
	}
	for _, topic := range b.SourceTopics.OfGroups(b.Plan) {
		own[names.Topic(topic)] = true
	}
	for topic := range b.TargetTopics { // of groups that have retried on the target alone
		if clusters.OfLanes(b.Plan, topic, b.TargetBrokers) {
			own[names.Topic(topic)] = true
		}
	}
	return func(topic string) bool { return own[topic] }
}

// held counts the messages of a queue that holds what isn't delivered yet, and says of which topics
// they are: of the migration's, where few enough are there and the broker lets them be read.
func (s deferred) held(
	ctx context.Context, broker rocketmq.Broker, topic string, queue int, span rocketmq.QueueRange,
) (rest int64, of string) {
	all := span.Max - span.Min
	if all <= 0 || s.own == nil {
		return all, "of all topics of the broker"
	}
	if all > mostHeld {
		return all, fmt.Sprintf(
			"of all topics of the broker, other applications' among them: more than %d aren't looked at",
			mostHeld,
		)
	}
	rest, err := s.read(ctx, broker.Addr, topic, queue, span)
	if err != nil {
		return all, fmt.Sprintf(
			"of all topics of the broker, other applications' among them, as they can't be read: %v", err,
		)
	}
	return rest, "of this migration's topics"
}

// read counts those of the migration. What names no topic counts too.
func (s deferred) read(
	ctx context.Context, addr, topic string, queue int, span rocketmq.QueueRange,
) (rest int64, err error) {
	bytes := int64(0)
	for at := span.Min; at < span.Max; {
		got, err := s.Client().Pull(ctx, addr, rocketmq.PullRequest{
			Group: metadata.SampleGroup, Topic: topic, Queue: queue, Offset: at,
			Max: int(min(heldAtOnce, span.Max-at)),
		})
		if err != nil {
			return 0, err
		}
		for i, m := range got.Messages {
			of, named := remoting.PropertyValue(m.Properties, remoting.PropRealTopic)
			if at+int64(i) < span.Max && (!named || s.own(of)) {
				rest++
			}
		}
		bytes += got.Size()
		next := got.Next
		got.Release()
		switch {
		case next <= at:
			return 0, fmt.Errorf("%s queue %d shows nothing at offset %d", topic, queue, at)
		case bytes > mostHeldBytes:
			return 0, fmt.Errorf("they are larger than %d MB", mostHeldBytes>>20)
		}
		at = next
	}
	return rest, nil
}

// deferred is a side with what its brokers keep for later.
type deferred struct {
	*clusters.One
	brokers   []rocketmq.Broker
	topics    clusters.TopicTable
	positions map[string]clusters.Committed
	enter     func(kind, object string, rest int64, detail string)
	// own tells topics of the migration, by the names that they have on the side; without it all
	// topics count
	own func(topic string) bool
}

// pending are the messages that the source will deliver later.
func (b *Builder) pending(ctx context.Context) error {
	return deferred{
		One: b.Source, brokers: b.SourceBrokers, topics: b.SourceTopics, positions: b.positions,
		enter: b.Enter,
	}.pending(ctx)
}

func (s deferred) pending(ctx context.Context) error {
	if err := s.delayed(ctx); err != nil {
		return err
	}
	return s.halves(ctx)
}

// delayed are the messages that the brokers will deliver later, retries among them, by delay level.
func (s deferred) delayed(ctx context.Context) error {
	for _, broker := range s.brokers {
		delivered, err := s.Client().DelayOffsets(ctx, broker.Addr)
		if err != nil {
			return s.Explain(ctx, err)
		}
		if _, there := s.topics[scheduleTopic][broker.Name]; !there {
			continue
		}
		stats, err := s.Client().TopicStats(ctx, broker.Addr, scheduleTopic)
		if err != nil {
			return s.Explain(ctx, err)
		}
		for queue := range stats {
			level := queue + 1
			rest, of := s.held(ctx, broker, scheduleTopic, queue, rocketmq.QueueRange{
				Min: max(stats[queue].Min, delivered[level]), Max: stats[queue].Max,
			})
			s.enter(KindDelayed, fmt.Sprintf("broker %s level %d", broker.Name, level), rest,
				of+"; delivered by itself, then copied")
		}
	}
	return nil
}

// halves are the open transactions. The count is an upper bound: a half message that was checked
// and stays open counts again.
func (s deferred) halves(ctx context.Context) error {
	for _, broker := range s.brokers {
		if _, there := s.topics[halfTopic][broker.Name]; !there {
			continue
		}
		stats, err := s.Client().TopicStats(ctx, broker.Addr, halfTopic)
		if err != nil {
			return s.Explain(ctx, err)
		}
		at := s.positions[halfGroup][halfTopic][lane.Queue{Broker: broker.Name}]
		rest, of := s.held(ctx, broker, halfTopic, 0, rocketmq.QueueRange{
			Min: max(stats[0].Min, at), Max: stats[0].Max,
		})
		s.enter(KindHalf, "broker "+broker.Name, rest,
			"at most, "+of+"; their producers end them, or the broker gives up")
	}
	return nil
}
