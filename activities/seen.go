package activities

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/replica"
)

// Producers choose among the queues that brokers show them, and consumers share those that they are
// shown. What follows is about topics of which these aren't all queues: one that is being shrunk
// (more queues to read from than to write to), one on a broker that is being taken out (permission
// 4).

// unreadable are the queues of a topic that lanes can't read.
func unreadable(topic string, brokers map[string]rocketmq.TopicConfig) (all []api.Finding) {
	object := "topic " + topic
	for _, broker := range clusters.SortedKeys(brokers) {
		if perm := brokers[broker].Perm; perm&rocketmq.PermRead == 0 {
			all = append(all, clusters.Refusal(object, "give it read permission on the source, or exclude it",
				"can't be read on broker %s (permission %d)", broker, perm))
		}
	}
	if unread := replica.Unread(brokers); unread != "" {
		all = append(all, clusters.Refusal(object,
			"give it as many queues to read from on the source, whose consumers then get what is in them, "+
				"or exclude it",
			"has queues that producers write to and nobody can read, lanes neither: source %s", unread))
	}
	return all
}

// unlike says that target brokers are too few to show producers the same queues.
func unlike(
	topic string, brokers map[string]rocketmq.TopicConfig, ordered bool, targetBrokers int,
) api.Finding {
	next := fmt.Sprintf("%s, or give the target at least %d brokers", endShrinking,
		replica.Parts(replica.Writable(brokers)))
	cause := fmt.Sprintf("producers don't see all of its queues (source %s), and the target can't "+
		"show them the same ones in the same order with %d broker(s)",
		replica.Hidden(brokers), targetBrokers)
	if ordered {
		return clusters.Refusal("topic "+topic, next, "%s: keys would go to other queues", cause)
	}
	return clusters.Warning("topic "+topic, "nothing, or "+next, "%s: they see all of them there", cause)
}

// endShrinking is what people do about a topic of which producers don't see all queues.
const endShrinking = "end that on the source first (as many queues to write to as to read from, " +
	"permission 6)"

// viewFindings are about what clients see of a topic. targetBrokers is 0 where the target isn't
// there yet.
func (inv *inventory) viewFindings(topic string, targetBrokers int) (all []api.Finding) {
	brokers := inv.topics[topic]
	if all = unreadable(topic, brokers); len(all) > 0 {
		return all
	}
	all = inv.routeFindings(topic)
	hidden, parts := replica.Hidden(brokers), replica.Parts(replica.Writable(brokers))
	if hidden == "" {
		return all
	}
	if targetBrokers > 0 && parts > targetBrokers {
		return append(all, unlike(topic, brokers, inv.topic(topic).Ordered, targetBrokers))
	}
	next := "nothing, or " + endShrinking
	if parts > 1 && targetBrokers == 0 {
		next = fmt.Sprintf("give the target at least %d brokers, or %s", parts, endShrinking)
	}
	return append(all, clusters.Warning("topic "+topic, next,
		"producers don't see all of its queues: source %s; the target shows them the same ones", hidden))
}

// routeFindings tell where name servers show clients something else than the brokers have
// configured. They refuse ordered topics.
func (inv *inventory) routeFindings(topic string) (all []api.Finding) {
	route, known := inv.routes[topic]
	if !known {
		return nil
	}
	object := "topic " + topic
	tell := func(next, cause string, args ...any) {
		found := clusters.Warning(object, next, cause, args...)
		found.Refusal = inv.topic(topic).Ordered
		all = append(all, found)
	}
	if route.Order != "" {
		tell("delete it from the source's name servers (mqadmin updateOrderConf -m delete), or exclude "+
			"the topic",
			"name servers tell producers which queues to choose among (order configuration %q), "+
				"and the target's don't: keys go to other queues there", route.Order)
	}
	shown := map[string]rocketmq.TopicConfig{}
	for _, q := range route.Queues {
		shown[q.BrokerName] = rocketmq.TopicConfig{ReadQueues: q.Read, WriteQueues: q.Write, Perm: q.Perm}
	}
	all = append(all, inv.elsewhere(topic, route)...)
	for _, broker := range clusters.SortedKeys(inv.topics[topic]) {
		if has, sees := inv.topics[topic][broker], shown[broker]; !shownAsIs(has, sees) {
			tell("end taking the broker out (mqadmin addWritePerm, brokerPermission=6), or give the "+
				"topic itself permission 4 there; then assess again",
				"name servers show clients %d queues to read from, %d to write to and permission %d on "+
					"broker %s, which has %d, %d and %d: the target is made like the broker",
				sees.ReadQueues, sees.WriteQueues, sees.Perm, broker,
				has.ReadQueues, has.WriteQueues, has.Perm)
		}
	}
	return all
}

func shownAsIs(has, sees rocketmq.TopicConfig) bool {
	const both = rocketmq.PermRead | rocketmq.PermWrite
	return has.ReadQueues == sees.ReadQueues && has.WriteQueues == sees.WriteQueues &&
		has.Perm&both == sees.Perm&both
}

func (o *objects) ordered(topic string, r wanted) bool {
	return r.ordered[topic] || o.Plan.Ordered(topic)
}

// openBroker is the brokerPermission of brokers that take (2) and give (4) messages.
const openBroker = "6"

// closedBroker says that a broker of the target shows clients less than its topics' permissions.
func closedBroker(name string, config map[string]string) []api.Finding {
	perm := cmp.Or(config["brokerPermission"], openBroker)
	if perm == openBroker {
		return nil
	}
	return []api.Finding{clusters.Refusal("target broker "+name, "set brokerPermission="+openBroker+" on it",
		"has brokerPermission=%s, which name servers show clients for each of its topics", perm)}
}

// sameView says what producers would see otherwise on a target that has the topic; "" if they see
// the same.
func sameView(source, target map[string]rocketmq.TopicConfig) string {
	here, there := replica.Writable(source), replica.Writable(target)
	if slices.Equal(here, there) {
		return ""
	}
	var parts []string
	for side, topic := range map[api.Side]map[string]rocketmq.TopicConfig{api.Source: source, api.Target: target} {
		if hidden := replica.Hidden(topic); hidden != "" {
			parts = append(parts, fmt.Sprintf("%s %s", side, hidden))
		}
	}
	slices.Sort(parts)
	return "producers see other queues on the target than on the source: " + strings.Join(parts, "; ")
}

// canBeAlike reports whether the target's brokers can show producers the same of a topic.
func canBeAlike(l clusters.Layout, topic string) bool {
	places := replica.Writable(l.SourceTopics[topic])
	_, can := replica.Spread(places, clusters.SortedKeys(clusters.AddressesOf(l.TargetBrokers)))
	return can
}

// laid is what the target's brokers show if they have so many queues of a topic.
func laid(l clusters.Layout, topic string, want clusters.Counts) (map[string]replica.Share, error) {
	source := l.SourceTopics[topic]
	if shares, alike := replica.Laid(replica.Writable(source), want); alike {
		return shares, nil
	}
	if canBeAlike(l, topic) {
		return nil, fmt.Errorf("it got more queues on the source, of which producers don't see all "+
			"(%s), and the target can't show them the same: %s", replica.Hidden(source), endShrinking)
	}
	all := map[string]replica.Share{}
	for broker, n := range want {
		all[broker] = replica.Share{Queues: n, Writable: n}
	}
	return all, nil
}

// seenAlike fails where producers see other queues on the target. That a topic is closed there, as
// ordered ones are until their producers move, doesn't count, nor what can't be otherwise.
func seenAlike(l clusters.Layout, topic string) error {
	opened := map[string]rocketmq.TopicConfig{}
	for broker, config := range l.TargetTopics[topic] {
		config.Perm |= rocketmq.PermWrite
		opened[broker] = config
	}
	other := sameView(l.SourceTopics[topic], opened)
	if other == "" || !canBeAlike(l, topic) {
		return nil
	}
	return fmt.Errorf("%s: give it as many queues to write to as on the other side, or keys go to "+
		"other queues", other)
}
