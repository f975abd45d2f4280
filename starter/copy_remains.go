package main

import (
	"context"
	"strings"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// remains are what an earlier run, which saw a part of the source alone, left of a topic in these
// queues of the target.
func (c *copying) remains(
	ctx context.Context, topic string, source, target topicsOf, look []replicator.Queue,
) (r replicator.Remains, err error) {
	var copies []replicator.Placed
	err = rocketmq.RetryRead(ctx, func() (err error) {
		copies, err = replicator.CopiesIn(ctx, c.target, c.names, topic, look)
		return err
	})
	if err != nil {
		return r, broken("run it again when all brokers answer", "topic %s: %w", topic, err)
	}
	r, _ = replicator.RemainsOf(source.of(topic), target.of(topic), target.names(), copies)
	return r, nil
}

// tellRemains adds what remains of a topic to the problems.
func (c *copying) tellRemains(found *problems, topic string, r replicator.Remains, source, target topicsOf) {
	at := replicator.Place{
		Source: strings.Join(c.from.nameServers, ";"), Target: strings.Join(c.to.nameServers, ";"),
		Topic: topic, Renamed: c.to.renames.Topic(topic), Group: c.names.Group, Brokers: target.brokers,
	}
	found.once("topic "+topic, "%s; %s", r.Cause(source.of(topic), target.of(topic)), r.Mend(at, target.of(topic)))
}

// checkPlaces finds copies that lie in the queue of another lane, at the ends of the target queues of
// lanes that have no progress: those that have go on where they are.
func (c *copying) checkPlaces(ctx context.Context, source, target topicsOf, found *problems) error {
	positions := replicator.NewPositions(c.source, c.target, c.names)
	look := map[string][]replicator.Queue{}
	for _, lane := range c.lanes {
		copied, _, err := positions.Progress(ctx, lane)
		if err != nil {
			return broken("run it again when all brokers answer", "%s: %w", lane, err)
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

// slavesKnow finds topics that a slave, which is read in place of its master, doesn't know, though it
// may hold messages of them.
func (c *copying) slavesKnow(ctx context.Context, source topicsOf, found *problems) error {
	if len(c.fromSlaves) == 0 {
		return nil
	}
	for _, topic := range c.topics {
		route, err := c.source.Route(ctx, topic)
		if rocketmq.CodeOf(err) == rocketmq.TopicNotExist {
			continue
		}
		if err != nil {
			return broken("start it, or correct --source", "%s doesn't answer: %w", source, err)
		}
		for _, l := range rocketmq.LackingOn(route, source.brokers, topic, source.of(topic)) {
			found.add("topic "+topic, "%s; %s", l, l.Mend())
		}
	}
	return nil
}
