package metadata

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/replica"
)

// A target of which only the 5.x proxy can be reached, as with managed instances, lists nothing and
// makes nothing: no topics, groups or positions, and it opens and closes none. So what a person has
// to make there is said, and waited for; what is there is looked for by its name.

// compareBehindProxy compares what can be seen there: that topics have as many queues as on the
// source, wherever they are, and that groups may be read by. What is missing waits for a person.
func (o *Chunk) compareBehindProxy(ctx context.Context, r Wanted) error {
	var absent []string
	for _, name := range r.Topics {
		if o.wantTopics[name] == nil {
			continue // can't be made, which is a conflict already
		}
		if len(o.haveTopics[name]) == 0 {
			absent = append(absent, fmt.Sprintf("topic %s with %d queues%s, of type %s", name,
				o.sourceTopics.Counts(name).Sum(), toHide(o.sourceTopics[name]),
				cmp.Or(r.Types[name], plan.TypeNormal)))
			continue
		}
		other := otherwise(o.sourceTopics[name], o.haveTopics[name], o.ordered(name, r))
		if other == "" {
			o.Same++
		} else {
			o.Conflicts = append(o.Conflicts, *conflictFinding(findings.TopicExistsOtherwise, "topic "+name, other))
		}
	}
	if canary := clusters.CanaryTopic(o.Plan); o.haveTopics.Counts(canary).Sum() == 0 {
		absent = append(
			absent,
			fmt.Sprintf("topic %s with %d queues, of type %s, through which the way back is proven", canary,
				len(o.sourceBrokers), plan.TypeNormal),
		)
	}
	for _, group := range r.Groups {
		there, err := o.readable(ctx, group)
		if err != nil {
			return err
		}
		retry := rocketmq.RetryTopic(group)
		want := retryQueues(
			clusters.Layout{
				SourceBrokers: o.sourceBrokers,
				TargetBrokers: o.targetBrokers,
				SourceTopics:  o.sourceTopics,
				TargetTopics:  o.haveTopics,
			},
			group,
		)
		retries := o.haveTopics.Counts(retry).Sum() >= want
		if there && retries {
			o.Same++
		}
		if !there {
			absent = append(absent, "group "+group)
		}
		if !retries {
			absent = append(absent, fmt.Sprintf("topic %s with %d queues, or more", retry, want))
		}
	}
	if len(absent) > 0 && len(o.Conflicts) == 0 {
		return fault.NotReady("the target's proxy makes no topics and groups: make %d there "+
			"by its console or API, and this goes on by itself: %s", len(absent), printable.First(absent, mostSaid))
	}
	return nil
}

// otherwise says in what clients would see a topic otherwise on the target, wherever its queues are
// there; "" if they see the same. Without an order to keep, producers may see other queues, if any.
func otherwise(source, target map[string]rocketmq.TopicConfig, ordered bool) string {
	all := clusters.TopicTable{string(api.Source): source, string(api.Target): target}
	have, want := all.Counts(string(api.Target)).Sum(), all.Counts(string(api.Source)).Sum()
	if have != want {
		return fmt.Sprintf("has %d queues on the target, wanted are %d", have, want)
	}
	if unread := replica.Unread(target); unread != "" {
		return "consumers don't see all queues there: target " + unread
	}
	if ordered || !slices.Contains(replica.Writable(target), true) {
		return sameView(source, target)
	}
	return ""
}

// toHide tells a person which queues producers mustn't see.
func toHide(source map[string]rocketmq.TopicConfig) string {
	hidden := replica.Hidden(source)
	if hidden == "" {
		return ""
	}
	return fmt.Sprintf(" (of which producers see the same as on the source: %s)", hidden)
}

// mostSaid is how many objects an error names that a person has to make: the others are named when
// these are there.
const mostSaid = 100

// retryQueues is how many queues a group's retry topic needs on the target, so that each of the
// source's has its pair there.
func retryQueues(l clusters.Layout, group string) (n int) {
	topic := rocketmq.RetryTopic(group)
	if len(l.SourceTopics[topic]) == 0 { // it comes with the group's first member, as brokers make it
		l.SourceTopics = clusters.TopicTable{topic: {l.SourceBrokers[0].Name: {ReadQueues: 1, WriteQueues: 1}}}
	}
	for _, config := range l.Everywhere(topic) {
		n += config.WriteQueues
	}
	return n
}

// readable reports whether a group may read on the target, as far as that can be told: without a
// topic nobody can. Brokers that may make the group by this.
func (o *Chunk) readable(ctx context.Context, group string) (bool, error) {
	for _, topic := range clusters.SortedKeys(o.haveTopics) {
		for broker := range o.haveTopics[topic] {
			_, err := o.Target.Client().
				Pull(ctx, o.addr[broker], rocketmq.PullRequest{Group: group, Topic: topic, Max: 1})
			if remoting.CodeOf(err) == remoting.SubscriptionGroupGone {
				return false, nil
			}
			if err != nil {
				return false, o.Target.Explain(ctx, err)
			}
		}
		if len(o.haveTopics[topic]) == len(o.addr) {
			break // each broker has been asked
		}
	}
	return true, nil
}

// toMake says of a topic what a person has to make behind a proxy.
func toMake(queues int) error {
	return fmt.Errorf(
		"the target's proxy makes no topics: give it %d queues there by the target's console or API; its "+
			"lanes start by themselves then",
		queues,
	)
}
