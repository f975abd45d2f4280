package activities

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Each group has topics of its own: %RETRY%<group> for what it is to try again, and %DLQ%<group>
// for what failed for good. Brokers make them, each for itself, when the group's first member
// connects or its first message fails. Lanes copy them like other topics, but nobody imports them:
// they are made on the target with room for every source broker, so that one that gets its topic
// later changes no pair of queues.

// groupOf is the group whose own topic it is, if it is one.
func groupOf(topic string) (group string, own bool) {
	if group, own = rocketmq.RetryGroup(topic); !own {
		group, own = strings.CutPrefix(topic, rocketmq.DLQTopic(""))
	}
	return group, own
}

// ofGroups are the own topics of the plan's groups, sorted.
func (t topicTable) ofGroups(p plan.Plan) []string {
	var names []string
	for name := range t {
		group, own := groupOf(name)
		if own && !systemGroup(group) && p.Groups.Match(group) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// everywhere is the topic as if each source broker had it, with a queue for each broker of the
// target: that one makes the topic too, and what it puts there has a way back.
func (l layout) everywhere(topic string) map[string]rocketmq.TopicConfig {
	have, brokers := l.sourceTopics[topic], len(l.sourceBrokers)
	model := have[sortedKeys(have)[0]]
	queues := (len(l.targetBrokers) + brokers - 1) / brokers
	for _, config := range have {
		queues = max(queues, config.Queues())
	}
	model.ReadQueues, model.WriteQueues = queues, queues
	all := map[string]rocketmq.TopicConfig{}
	for _, b := range l.sourceBrokers {
		all[b.Name] = model
	}
	return all
}

// groupLanes pairs the queues that each source broker has, or would have, with the first of the
// target's.
func (l layout) groupLanes(topic string) ([]lane.Lane, error) {
	source, target := topicTable{topic: l.everywhere(topic)}.queues(topic), l.targetTopics.queues(topic)
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
		if config, there := l.sourceTopics[topic][lane.Source.Broker]; there && lane.Source.ID < config.Queues() {
			here = append(here, lane)
		}
	}
	return here, nil
}

// ownLanes are those of the groups' own topics that have any.
func (l layout) ownLanes(p plan.Plan) (lanes []lane.Lane, topics []string) {
	for _, topic := range l.sourceTopics.ofGroups(p) {
		if pairs, err := l.groupLanes(topic); err == nil {
			lanes, topics = append(lanes, pairs...), append(topics, topic)
		}
	}
	return lanes, topics
}

// ensureGroupTopics makes the groups' own topics on the target that it lacks, and gives more queues
// to those that its brokers have made.
func (s sides) ensureGroupTopics(ctx context.Context, l layout) error {
	for _, topic := range l.sourceTopics.ofGroups(s.plan) {
		if err := s.ensureGroupTopic(ctx, l, topic); err != nil {
			return err
		}
	}
	return nil
}

func (s sides) ensureGroupTopic(ctx context.Context, l layout, topic string) error {
	if err := s.retriesEverywhere(ctx, l, topic); err != nil {
		return err
	}
	if s.target.Proxy() != "" {
		return nil // brokers make it, when a member connects or fails; then its lanes start
	}
	addr, all := addresses(l.targetBrokers), l.everywhere(topic)
	for broker, config := range all { // brokers before 4.9.2 make dead-letter topics that can't be read
		config.Perm = rocketmq.PermRead | rocketmq.PermWrite
		all[broker] = config
	}
	wanted, found := desiredTopic(topic, all, plan.TypeNormal, false, sortedKeys(addr))
	if found != nil {
		return fault.Refused("%s: %s: %s", found.Object, found.Cause, found.Next)
	}
	for broker, want := range wanted {
		have := l.targetTopics[topic][broker]
		if have.ReadQueues >= want.ReadQueues && have.WriteQueues >= want.WriteQueues {
			continue
		}
		want.ReadQueues, want.WriteQueues = max(want.ReadQueues, have.ReadQueues), max(want.WriteQueues,
			have.WriteQueues)
		if err := s.target.Client().CreateTopic(ctx, addr[broker], want); err != nil {
			return fmt.Errorf("topic %s on target broker %s: %w", topic, broker, s.target.explain(ctx, err))
		}
		if l.targetTopics[topic] == nil {
			l.targetTopics[topic] = map[string]rocketmq.TopicConfig{}
		}
		l.targetTopics[topic][broker] = want
	}
	return nil
}

// retriesEverywhere makes a retry topic on the source brokers that lack it or some of its queues,
// as a member does that connects to them: on the way back, what failed on the target must reach
// members on the source, whichever pair of queues it is in.
func (s sides) retriesEverywhere(ctx context.Context, l layout, topic string) error {
	if _, retry := rocketmq.RetryGroup(topic); !retry || s.plan.Replicate.OneWay {
		return nil
	}
	all, addr := l.everywhere(topic), addresses(l.sourceBrokers)
	for _, broker := range sortedKeys(all) {
		if slices.Contains(rocketmq.FromSlaves(l.sourceBrokers), broker) {
			continue // a slave takes no topics, and nothing is copied back to it
		}
		want := all[broker]
		if have, there := l.sourceTopics[topic][broker]; there {
			queues := want.ReadQueues
			if min(have.ReadQueues, have.WriteQueues) >= queues {
				continue
			}
			want = have
			want.ReadQueues, want.WriteQueues = max(have.ReadQueues, queues), max(have.WriteQueues, queues)
		}
		err := s.source.Client().CreateTopic(ctx, addr[broker], want)
		if remoting.Denied(err) {
			// what is there is copied; who may not change the source has these queues only when a
			// member connects
			continue
		}
		if err != nil {
			return fmt.Errorf("topic %s on source broker %s: %w", topic, broker, s.source.explain(ctx, err))
		}
		l.sourceTopics[topic][broker] = want
	}
	return nil
}

// ownRest counts the messages of a group's own topic that aren't copied yet. Without lanes, it is
// those behind the group's positions.
func (b *ledgerBuilder) ownRest(ctx context.Context, group, topic string) (int64, error) {
	if len(b.sourceTopics[topic]) == 0 {
		return 0, nil
	}
	lanes, err := b.groupLanes(topic)
	if fault.IsNotReady(err) {
		return b.rest(ctx, topic, b.positions[group][topic])
	}
	copied := map[lane.Queue]int64{}
	for _, lane := range lanes {
		at, _, err := b.translator.Progress(ctx, lane)
		if err != nil {
			return 0, b.explain(ctx, err)
		}
		copied[lane.Source] = max(at, b.positions[group][topic][lane.Source])
	}
	return b.rest(ctx, topic, copied)
}
