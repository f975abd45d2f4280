package clusters

import (
	"sort"

	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Each group has topics of its own: %RETRY%<group> for what it is to try again, and %DLQ%<group>
// for what failed for good. Brokers make them, each for itself, when the group's first member
// connects or its first message fails. Lanes copy them like other topics, but nobody imports them:
// they are made on the target with room for every source broker, so that one that gets its topic
// later changes no pair of queues.

// OfGroups are the own topics of the plan's groups, sorted.
func (t TopicTable) OfGroups(p plan.Plan) []string {
	var names []string
	for name := range t {
		group, own := GroupOf(name)
		if own && !SystemGroup(group) && p.Groups.Match(group) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// Everywhere is the topic as if each source broker had it, with a queue for each broker of the
// target: that one makes the topic too, and what it puts there has a way back.
func (l Layout) Everywhere(topic string) map[string]rocketmq.TopicConfig {
	have, brokers := l.SourceTopics[topic], len(l.SourceBrokers)
	model := have[SortedKeys(have)[0]]
	queues := (len(l.TargetBrokers) + brokers - 1) / brokers
	for _, config := range have {
		queues = max(queues, config.Queues())
	}
	model.ReadQueues, model.WriteQueues = queues, queues
	all := map[string]rocketmq.TopicConfig{}
	for _, b := range l.SourceBrokers {
		all[b.Name] = model
	}
	return all
}

// GroupLanes pairs the queues that each source broker has, or would have, with the first of the
// target's.
func (l Layout) GroupLanes(topic string) ([]lane.Lane, error) {
	source, target := TopicTable{topic: l.Everywhere(topic)}.Queues(topic), l.TargetTopics.Queues(topic)
	lanes, err := lane.Pair(topic, source, target[:min(len(source), len(target))])
	if err != nil {
		return nil, fault.NotReady(
			"%v: it is made on the target by itself; is a target broker down, or may rocketshift not create "+
				"topics there?",
			err,
		)
	}
	var here []lane.Lane
	for _, lane := range lanes {
		if config, there := l.SourceTopics[topic][lane.Source.Broker]; there && lane.Source.ID < config.Queues() {
			here = append(here, lane)
		}
	}
	return here, nil
}

// OwnLanes are those of the groups' own topics that have any.
func (l Layout) OwnLanes(p plan.Plan) (lanes []lane.Lane, topics []string) {
	for _, topic := range l.SourceTopics.OfGroups(p) {
		if pairs, err := l.GroupLanes(topic); err == nil {
			lanes, topics = append(lanes, pairs...), append(topics, topic)
		}
	}
	return lanes, topics
}
