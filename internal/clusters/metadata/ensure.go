package metadata

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// EnsureGroupTopics makes the groups' own topics on the target that it lacks, and gives more queues
// to those that its brokers have made.
func EnsureGroupTopics(ctx context.Context, s clusters.Both, l clusters.Layout) error {
	for _, topic := range l.SourceTopics.OfGroups(s.Plan) {
		if err := EnsureGroupTopic(ctx, s, l, topic); err != nil {
			return err
		}
	}
	return nil
}

// EnsureGroupTopic makes one of them, or gives it the queues that it lacks.
func EnsureGroupTopic(ctx context.Context, s clusters.Both, l clusters.Layout, topic string) error {
	if err := retriesEverywhere(ctx, s, l, topic); err != nil {
		return err
	}
	if s.Target.Proxy() != "" {
		return nil // brokers make it, when a member connects or fails; then its lanes start
	}
	addr, all := clusters.AddressesOf(l.TargetBrokers), l.Everywhere(topic)
	for broker, config := range all { // brokers before 4.9.2 make dead-letter topics that can't be read
		config.Perm = rocketmq.PermRead | rocketmq.PermWrite
		all[broker] = config
	}
	wanted, found := desiredTopic(topic, all, plan.TypeNormal, false, clusters.SortedKeys(addr))
	if found != nil {
		return fault.Refused("%s: %s: %s", found.Object, found.Cause, found.Next)
	}
	for broker, want := range wanted {
		have := l.TargetTopics[topic][broker]
		if have.ReadQueues >= want.ReadQueues && have.WriteQueues >= want.WriteQueues {
			continue
		}
		want.ReadQueues, want.WriteQueues = max(want.ReadQueues, have.ReadQueues), max(want.WriteQueues,
			have.WriteQueues)
		if err := s.Target.Client().CreateTopic(ctx, addr[broker], want); err != nil {
			return fmt.Errorf("topic %s on target broker %s: %w", topic, broker, s.Target.Explain(ctx, err))
		}
		if l.TargetTopics[topic] == nil {
			l.TargetTopics[topic] = map[string]rocketmq.TopicConfig{}
		}
		l.TargetTopics[topic][broker] = want
	}
	return nil
}

// retriesEverywhere makes a retry topic on the source brokers that lack it or some of its queues,
// as a member does that connects to them: on the way back, what failed on the target must reach
// members on the source, whichever pair of queues it is in.
func retriesEverywhere(ctx context.Context, s clusters.Both, l clusters.Layout, topic string) error {
	if _, retry := rocketmq.RetryGroup(topic); !retry || s.Plan.Replicate.OneWay {
		return nil
	}
	all, addr := l.Everywhere(topic), clusters.AddressesOf(l.SourceBrokers)
	for _, broker := range clusters.SortedKeys(all) {
		if slices.Contains(rocketmq.FromSlaves(l.SourceBrokers), broker) {
			continue // a slave takes no topics, and nothing is copied back to it
		}
		want := all[broker]
		if have, there := l.SourceTopics[topic][broker]; there {
			queues := want.ReadQueues
			if min(have.ReadQueues, have.WriteQueues) >= queues {
				continue
			}
			want = have
			want.ReadQueues, want.WriteQueues = max(have.ReadQueues, queues), max(have.WriteQueues, queues)
		}
		err := s.Source.Client().CreateTopic(ctx, addr[broker], want)
		if remoting.Denied(err) {
			// what is there is copied; who may not change the source has these queues only when a
			// member connects
			continue
		}
		if err != nil {
			return fmt.Errorf("topic %s on source broker %s: %w", topic, broker, s.Source.Explain(ctx, err))
		}
		l.SourceTopics[topic][broker] = want
	}
	return nil
}
