package copyjob

import (
	"context"
	"slices"
	"strings"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// checkAll finds everything that prevents the copy, and tells all of it at once. It writes nothing.
// It pairs the queues of topics that are there, and lists the other topics, which must be created.
func (c *Job) checkAll(ctx context.Context, source, target topicsOf) (missing []string, err error) {
	found := &failure.Problems{What: "copy"}
	if err := c.slavesKnow(ctx, source, found); err != nil {
		return nil, err
	}
	if missing, err = c.check(ctx, source, target, found); err != nil {
		return nil, err
	}
	there := slices.DeleteFunc(slices.Clone(c.topics), func(topic string) bool {
		return slices.Contains(missing, topic) || found.Knows("topic "+topic)
	})
	if c.lanes, err = pairs(there, source, target); err != nil {
		return nil, err
	}
	if err := c.checkPlaces(ctx, source, target, found); err != nil {
		return nil, err
	}
	if err := c.checkIDs(ctx, c.lanes, found); err != nil {
		return nil, err
	}
	return missing, found.OrNil()
}

// check finds what is wrong with topics on either side, and lists those that must be created.
func (c *Job) check(
	ctx context.Context,
	source, target topicsOf,
	found *failure.Problems,
) (missing []string, err error) {
	for _, topic := range c.topics {
		switch {
		case rocketmq.SystemTopic(topic, source.brokers[0].Cluster, source.names()):
			found.Add("topic "+topic, "is RocketMQ's own and can't be copied; leave it out")
			continue
		case len(source.topics.Queues(topic)) == 0:
			found.Add("topic "+topic, "is missing on the %s; correct the name, or leave it out", source)
			continue
		}
		checkSource(topic, source, found)
		if len(target.topics.Queues(topic)) == 0 {
			if c.checkMissing(topic, source, target, found) {
				missing = append(missing, topic)
			}
			continue
		}
		cutOff, err := c.checkThere(ctx, topic, source, target, found)
		if err != nil {
			return nil, err
		}
		if cutOff {
			missing = append(missing, topic)
		}
	}
	return missing, nil
}

// checkSource finds what lanes can't read of a topic.
func checkSource(topic string, source topicsOf, found *failure.Problems) {
	if unreadable := source.unreadable(topic); len(unreadable) > 0 {
		found.Add("topic "+topic, "can't be read on the source's broker %s; give it read permission (perm 6) there",
			strings.Join(unreadable, ", "))
	}
	if unread := replica.Unread(source.topics[topic]); unread != "" {
		found.Add("topic "+topic, "can't be read whole: the source's %s; give it as many queues to read from there, "+
			"whose consumers then get what is in them", unread)
	}
}

// checkMissing judges a topic that the target lacks; true if it must be created.
func (c *Job) checkMissing(topic string, source, target topicsOf, found *failure.Problems) bool {
	queues := len(source.topics.Queues(topic))
	takes := rocketmq.TakesTopic(c.To.renames.Topic(topic))
	if !takes {
		found.Add("topic "+topic,
			"has a name that 5.x doesn't accept; give it another one there (--rename %s=OTHER)", topic)
	}
	_, alike := replica.Spread(replica.Writable(source.topics[topic]), target.names())
	switch {
	case c.create && replica.Unread(source.topics[topic]) != "": // a problem that is told elsewhere
	case c.create && !alike:
		found.Add("topic "+topic,
			"can't be made so that producers see the same queues in the same order on the target's %d "+
				"brokers: of the source, %s; end that there, or create it with %d queues on the target yourself",
			len(target.brokers), replica.Hidden(source.topics[topic]), queues)
	case c.create:
		return takes
	case !takes: // the target doesn't take the name
	case target.proxied:
		found.Add("topic "+topic,
			"is missing on the %s; create it with %d queues by the target's console or API", target, queues)
	default:
		found.Add("topic "+topic,
			"is missing on the %s; add --create-topics, or create it there with %d queues", target, queues)
	}
	return false
}

// checkThere judges a topic that the target has. It is true if an earlier run was cut off while it
// created the topic, so that only some brokers have it, and this run may go on.
func (c *Job) checkThere(
	ctx context.Context,
	topic string,
	source, target topicsOf,
	found *failure.Problems,
) (cutOff bool, err error) {
	from, to := source.topics.Queues(topic), target.topics.Queues(topic)
	_, unequal := lane.Pair(topic, from, to)
	switch {
	case replica.Unread(target.topics[topic]) != "":
		found.Add("topic "+topic,
			"the target's %s, so that consumers don't see all there: give it as many to read from",
			replica.Unread(target.topics[topic]))
	case len(from) > len(to):
		r, err := c.remains(ctx, topic, source, target, to)
		if err != nil {
			return false, err
		}
		if c.create && len(r.Misplaced) == 0 && target.begun(topic, source) {
			return !found.Knows("topic " + topic), nil
		}
		c.tellRemains(found, topic, r, source, target)
	case unequal != nil:
		found.Add("topic "+topic, "%s; give it %d queues on the target, or delete it there and add --create-topics",
			strings.TrimPrefix(unequal.Error(), "topic "+topic+": "), len(from))
	}
	return false, nil
}

// begun reports whether some brokers have a topic as create makes it, and the others lack it: a run
// that is cut off in create leaves it so.
func (t topicsOf) begun(topic string, source topicsOf) bool {
	shares, alike := replica.Spread(replica.Writable(source.topics[topic]), t.names())
	for broker, has := range t.topics[topic] {
		if share := shares[broker]; has.ReadQueues != share.Queues || has.WriteQueues != share.Writable {
			return false
		}
	}
	return alike
}
