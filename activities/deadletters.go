package activities

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator"
)

// Dead-letter topics are made by brokers, each for itself, when a group's first message there has failed for good. Lanes copy them like
// other topics, but nobody imports them: they are made on the target with room for every source broker, so that one that gets its topic
// later changes no pair of queues.

// deadLetters are the dead-letter topics of the plan's groups, sorted.
func (t topicTable) deadLetters(p plan.Plan) []string {
	var names []string
	for name := range t {
		group, dead := strings.CutPrefix(name, rocketmq.DLQTopic(""))
		if dead && !systemGroup(group) && p.Groups.Match(group) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// everywhere is the topic as if each source broker had it.
func (l layout) everywhere(topic string) map[string]rocketmq.TopicConfig {
	have := l.sourceTopics[topic]
	model := have[sortedKeys(have)[0]]
	for _, config := range have {
		model.ReadQueues = max(model.ReadQueues, config.ReadQueues, config.WriteQueues)
	}
	all := map[string]rocketmq.TopicConfig{}
	for _, b := range l.sourceBrokers {
		all[b.Name] = model
	}
	return all
}

// deadLetterLanes pairs the queues that each source broker has, or would have, with the first of the target's.
func (l layout) deadLetterLanes(topic string) ([]replicator.Lane, error) {
	source, target := topicTable{topic: l.everywhere(topic)}.queues(topic), l.targetTopics.queues(topic)
	lanes, err := replicator.Pair(topic, source, target[:min(len(source), len(target))])
	if err != nil {
		return nil, notReady("%v: it is made on the target by itself; is a target broker down, or may rocketshift not create topics there?", err)
	}
	var here []replicator.Lane
	for _, lane := range lanes {
		if config, there := l.sourceTopics[topic][lane.Source.Broker]; there && lane.Source.ID < max(config.ReadQueues, config.WriteQueues) {
			here = append(here, lane)
		}
	}
	return here, nil
}

// ensureDeadLetters makes the dead-letter topics on the target that it lacks, and gives more queues to those that its brokers have made.
func (s sides) ensureDeadLetters(ctx context.Context, l layout) error {
	addr := addresses(l.targetBrokers)
	for _, topic := range l.sourceTopics.deadLetters(s.plan) {
		for broker, want := range desiredTopic(topic, l.everywhere(topic), plan.TypeNormal, false, sortedKeys(addr)) {
			have := l.targetTopics[topic][broker]
			if have.ReadQueues >= want.ReadQueues && have.WriteQueues >= want.WriteQueues {
				continue
			}
			want.ReadQueues, want.WriteQueues = max(want.ReadQueues, have.ReadQueues), max(want.WriteQueues, have.WriteQueues)
			if err := s.target.Client().CreateTopic(ctx, addr[broker], want); err != nil {
				return fmt.Errorf("dead-letter topic %s on target broker %s: %w", topic, broker, s.target.explain(ctx, err))
			}
			if l.targetTopics[topic] == nil {
				l.targetTopics[topic] = map[string]rocketmq.TopicConfig{}
			}
			l.targetTopics[topic][broker] = want
		}
	}
	return nil
}

// deadLetterRest counts the dead letters that aren't copied yet. Without lanes it is all of them.
func (b *book) deadLetterRest(ctx context.Context, topic string) (int64, error) {
	if len(b.sourceTopics[topic]) == 0 {
		return 0, nil
	}
	lanes, err := b.deadLetterLanes(topic)
	if isNotReady(err) {
		return b.rest(ctx, topic, nil)
	}
	copied := map[replicator.Queue]int64{}
	for _, lane := range lanes {
		at, _, err := b.translator.Progress(ctx, lane)
		if err != nil {
			return 0, b.source.explain(ctx, err)
		}
		copied[lane.Source] = at
	}
	return b.rest(ctx, topic, copied)
}
