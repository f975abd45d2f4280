package members

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// uneven says how a topic's queues go to a group's members if some of them get none, or twice as many
// as others; empty if the shares differ less. Members get as many queues as each other, or one more
// (AllocateMessageQueueAveragely, AllocateMessageQueueAveragelyByCircle).
func uneven(queues, members int) string {
	switch {
	case members < 2 || queues == 0 || queues%members == 0 || queues > 2*members:
		return ""
	case members > queues:
		return fmt.Sprintf("%d of %d members get none of its %d queues", members-queues, members, queues)
	}
	return fmt.Sprintf("%d of %d members get two of its %d queues, the others one", queues-members, members, queues)
}

// splits are groups whose members don't get equal shares of a topic's queues, in two findings at
// most: those that are as they will be, and those that a target makes so which has the topic already.
func splits(ctx context.Context, target *clusters.One, seen facts.Facts) (all []api.Finding, err error) {
	var groups, onTarget []string
	for _, group := range seen.GroupNames {
		if of := seen.Online[group]; !of.Broadcasting && len(of.Members) > 1 {
			groups = append(groups, group)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	there, err := topicsOf(ctx, target, seen)
	if err != nil {
		return nil, err
	}
	now := findings.QueuesUneven.Advice("", "", "")
	later := findings.QueuesUneven.Warning("", "correct the number of queues on the target before the group moves", "")
	var unequal []string
	for _, group := range groups {
		members := len(seen.Online[group].Members)
		for _, topic := range clusters.SortedKeys(seen.Online[group].Topics) {
			if _, selected := slices.BinarySearch(seen.TopicNames, topic); !selected {
				continue
			}
			has, gets := readQueues(seen.Topics[topic]), readQueues(there[topic])
			if how := uneven(has, members); how != "" {
				unequal = append(unequal, group)
				now = now.With(seen.At, "group %s, topic %s: %s", group, topic, how)
			}
			if how := uneven(gets, members); how != "" && how != uneven(has, members) {
				onTarget = append(onTarget, group)
				later = later.With(seen.At, "group %s, topic %s, which has %d queues on the source: %s", group, topic, has, how)
			}
		}
	}
	if unequal = slices.Compact(unequal); len(unequal) > 0 {
		now.Object = "groups " + printable.Few(unequal)
		now.Cause = fmt.Sprintf("the members of %d groups don't get equal shares of a topic's queues", len(unequal))
		all = append(all, now)
	}
	if onTarget = slices.Compact(onTarget); len(onTarget) > 0 {
		later.Object = "groups " + printable.Few(onTarget)
		later.Cause = fmt.Sprintf("the members of %d groups get unequal shares of a topic's queues on the target, which "+
			"has the topic already with another number of them", len(onTarget))
		all = append(all, later)
	}
	return all, nil
}

// topicsOf are the topics of a target that exists. One behind a proxy isn't asked, which would take a
// call for each topic.
func topicsOf(ctx context.Context, target *clusters.One, seen facts.Facts) (clusters.TopicTable, error) {
	if target == nil || target.Proxy() != "" || len(seen.Target.Brokers) == 0 {
		return nil, nil
	}
	return target.TopicTable(ctx, seen.Target.Brokers, seen.TopicNames)
}

// readQueues are the queues that a group's members share.
func readQueues(brokers map[string]rocketmq.TopicConfig) (n int) {
	for _, config := range brokers {
		if config.Perm&rocketmq.PermRead != 0 {
			n += config.ReadQueues
		}
	}
	return n
}
