package activities

import (
	"context"
	"fmt"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
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
func (b *ledgerBuilder) ownOnTarget() func(topic string) bool {
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
			Group: sampleGroup, Topic: topic, Queue: queue, Offset: at,
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
