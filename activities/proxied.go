package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// A target of which only the 5.x proxy can be reached, as with managed instances, lists nothing and
// makes nothing: no topics, groups or positions, and it opens and closes none. So what a person has
// to make there is said, and waited for; what is there is looked for by its name.

// routedTopics are those of these topics that a proxy has, with the numbers of queues and the
// permissions that routes tell.
func (c *cluster) routedTopics(ctx context.Context, names []string) (topicTable, error) {
	table := topicTable{}
	var mu sync.Mutex
	err := each(ctx, names, func(ctx context.Context, name string) error {
		found, err := c.TopicConfigs(ctx, []string{name})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for broker, of := range found {
			if table[name] == nil {
				table[name] = map[string]rocketmq.TopicConfig{}
			}
			table[name][broker] = of[name]
		}
		return nil
	})
	return table, c.explain(ctx, err)
}

// compareBehindProxy compares what can be seen there: that topics have as many queues as on the
// source, wherever they are, and that groups may be read by. What is missing waits for a person.
func (o *objects) compareBehindProxy(ctx context.Context, r wanted) error {
	var absent []string
	for _, name := range r.topics {
		if o.wantTopics[name] == nil {
			continue // can't be made, which is a conflict already
		}
		if len(o.haveTopics[name]) == 0 {
			absent = append(absent, fmt.Sprintf("topic %s with %d queues%s, of type %s", name,
				o.sourceTopics.counts(name).sum(), toHide(o.sourceTopics[name]),
				cmp.Or(r.types[name], plan.TypeNormal)))
			continue
		}
		other := otherwise(o.sourceTopics[name], o.haveTopics[name], o.ordered(name, r))
		if other == "" {
			o.same++
		} else {
			o.conflicts = append(o.conflicts, *conflictFinding("topic "+name, other))
		}
	}
	if canary := canaryTopic(o.plan); o.haveTopics.counts(canary).sum() == 0 {
		absent = append(
			absent,
			fmt.Sprintf("topic %s with %d queues, of type %s, through which the way back is proven", canary,
				len(o.sourceBrokers), plan.TypeNormal),
		)
	}
	for _, group := range r.groups {
		there, err := o.readable(ctx, group)
		if err != nil {
			return err
		}
		retry := rocketmq.RetryTopic(group)
		want := layout{o.sourceBrokers, o.targetBrokers, o.sourceTopics, o.haveTopics}.retryQueues(group)
		retries := o.haveTopics.counts(retry).sum() >= want
		if there && retries {
			o.same++
		}
		if !there {
			absent = append(absent, "group "+group)
		}
		if !retries {
			absent = append(absent, fmt.Sprintf("topic %s with %d queues, or more", retry, want))
		}
	}
	if len(absent) > 0 && len(o.conflicts) == 0 {
		return fault.NotReady("the target's proxy makes no topics and groups: make %d there "+
			"by its console or API, and this goes on by itself: %s", len(absent), firstOf(absent, mostSaid))
	}
	return nil
}

// otherwise says in what clients would see a topic otherwise on the target, wherever its queues are
// there; "" if they see the same. Without an order to keep, producers may see other queues, if any.
func otherwise(source, target map[string]rocketmq.TopicConfig, ordered bool) string {
	all := topicTable{string(api.Source): source, string(api.Target): target}
	have, want := all.counts(string(api.Target)).sum(), all.counts(string(api.Source)).sum()
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

// firstOf are the first of some sentences, which are read by people.
func firstOf(all []string, most int) string {
	text := strings.Join(all[:min(most, len(all))], "; ")
	if len(all) > most {
		text += fmt.Sprintf("; and %d more", len(all)-most)
	}
	return text
}

// retryQueues is how many queues a group's retry topic needs on the target, so that each of the
// source's has its pair there.
func (l layout) retryQueues(group string) (n int) {
	topic := rocketmq.RetryTopic(group)
	if len(l.sourceTopics[topic]) == 0 { // it comes with the group's first member, as brokers make it
		l.sourceTopics = topicTable{topic: {l.sourceBrokers[0].Name: {ReadQueues: 1, WriteQueues: 1}}}
	}
	for _, config := range l.everywhere(topic) {
		n += config.WriteQueues
	}
	return n
}

// readable reports whether a group may read on the target, as far as that can be told: without a
// topic nobody can. Brokers that may make the group by this.
func (o *objects) readable(ctx context.Context, group string) (bool, error) {
	for _, topic := range sortedKeys(o.haveTopics) {
		for broker := range o.haveTopics[topic] {
			_, err := o.target.Client().
				Pull(ctx, o.addr[broker], rocketmq.PullRequest{Group: group, Topic: topic, Max: 1})
			if remoting.CodeOf(err) == remoting.SubscriptionGroupGone {
				return false, nil
			}
			if err != nil {
				return false, o.target.explain(ctx, err)
			}
		}
		if len(o.haveTopics[topic]) == len(o.addr) {
			break // each broker has been asked
		}
	}
	return true, nil
}

// readThere reads one position of a group on the target, as a proxy doesn't list them.
func (m *mover) readThere(ctx context.Context, group, topic string, q lane.Queue) error {
	if m.target.Proxy() == "" || m.from != api.Source {
		return nil
	}
	broker, err := m.target.Broker(ctx, q.Broker)
	if err != nil {
		return m.target.explain(ctx, err)
	}
	at, known, err := m.target.Client().QueryOffset(ctx, broker.Addr, group, topic, q.ID)
	if err != nil || !known {
		return m.target.explain(ctx, err)
	}
	m.reading.Lock()
	defer m.reading.Unlock()
	all := m.have[api.Target]
	if all[group] == nil {
		all[group] = committed{}
	}
	if all[group][topic] == nil {
		all[group][topic] = map[lane.Queue]int64{}
	}
	all[group][topic][q] = at
	return nil
}

// toMake says of a topic what a person has to make behind a proxy.
func toMake(queues int) error {
	return fmt.Errorf(
		"the target's proxy makes no topics: give it %d queues there by the target's console or API; its "+
			"lanes start by themselves then",
		queues,
	)
}
