package copyjob

import (
	"context"
	"strings"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// remains are what an earlier run that saw only a part of the source left of a topic in these
// queues of the target.
func (c *Job) remains(
	ctx context.Context, topic string, source, target topicsOf, look []lane.Queue,
) (r replica.Remains, err error) {
	var copies []replica.CopiesOf
	err = remoting.RetryRead(ctx, func() (err error) {
		copies, err = replica.CopiesIn(ctx, c.Target, c.names, topic, look)
		return err
	})
	if err != nil {
		return r, failure.Broken("run it again when all brokers answer", "topic %s: %w", topic, err)
	}
	r, _ = replica.RemainsOf(source.topics[topic], target.topics[topic], target.names(), copies)
	return r, nil
}

// tellRemains adds what remains of a topic to the problems.
func (c *Job) tellRemains(found *failure.Problems, topic string, r replica.Remains, source, target topicsOf) {
	at := replica.Place{
		Source: strings.Join(c.From.nameServers, ";"), Target: strings.Join(c.To.nameServers, ";"),
		Topic: topic, Renamed: c.To.renames.Topic(topic), Group: c.names.Group, Brokers: target.brokers,
	}
	found.Once("topic "+topic, "%s; %s", r.Cause(source.topics[topic], target.topics[topic]),
		r.Mend(at, target.topics[topic]))
}

// checkPlaces finds copies that lie in the queue of another lane. It looks at the ends of the
// target queues of lanes without progress; lanes with progress go on where they are.
func (c *Job) checkPlaces(ctx context.Context, source, target topicsOf, found *failure.Problems) error {
	positions := positions.New(c.Source, c.Target, c.names)
	look := map[string][]lane.Queue{}
	for _, lane := range c.lanes {
		copied, _, err := positions.Progress(ctx, lane)
		if err != nil {
			return failure.Broken("run it again when all brokers answer", "%s: %w", lane, err)
		}
		if copied == 0 {
			look[lane.Topic] = append(look[lane.Topic], lane.Target)
		}
	}
	for _, topic := range c.topics {
		if len(look[topic]) == 0 {
			continue
		}
		r, err := c.remains(ctx, topic, source, target, look[topic])
		if err != nil {
			return err
		}
		if len(r.Misplaced) > 0 {
			c.tellRemains(found, topic, r, source, target)
		}
	}
	return nil
}

// slavesKnow finds topics that a slave which is read in place of its master doesn't know, though it
// may hold their messages.
func (c *Job) slavesKnow(ctx context.Context, source topicsOf, found *failure.Problems) error {
	if len(c.fromSlaves) == 0 {
		return nil
	}
	for _, topic := range c.topics {
		route, err := c.Source.Route(ctx, topic)
		if remoting.CodeOf(err) == remoting.TopicNotExist {
			continue
		}
		if err != nil {
			return failure.Broken("start it, or correct --source", "%s doesn't answer: %w", source, err)
		}
		for _, l := range rocketmq.LackingOn(route, source.brokers, topic, source.topics[topic]) {
			found.Add("topic "+topic, "%s; %s", l, l.Mend())
		}
	}
	return nil
}
