package metadata

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/replica"
)

// Producers choose among the queues that brokers show them, and consumers share those that they are
// shown. What follows is about topics of which these aren't all queues: one that is being shrunk
// (more queues to read from than to write to), one on a broker that is being taken out (permission
// 4).

// Unreadable are the queues of a topic that lanes can't read.
func Unreadable(topic string, brokers map[string]rocketmq.TopicConfig) (all []api.Finding) {
	object := "topic " + topic
	for _, broker := range clusters.SortedKeys(brokers) {
		if perm := brokers[broker].Perm; perm&rocketmq.PermRead == 0 {
			all = append(
				all,
				findings.TopicUnreadable.Refusal(object, "give it read permission on the source, or exclude it",
					"can't be read on broker %s (permission %d)", broker, perm),
			)
		}
	}
	if unread := replica.Unread(brokers); unread != "" {
		all = append(all, findings.QueuesUnreadable.Refusal(object,
			"give it as many queues to read from on the source, whose consumers then get what is in them, "+
				"or exclude it",
			"has queues that producers write to and nobody can read, lanes neither: source %s", unread))
	}
	return all
}

// Unlike says that target brokers are too few to show producers the same queues.
func Unlike(
	topic string, brokers map[string]rocketmq.TopicConfig, ordered bool, targetBrokers int,
) api.Finding {
	next := fmt.Sprintf("%s, or give the target at least %d brokers", EndShrinking,
		replica.Parts(replica.Writable(brokers)))
	cause := fmt.Sprintf("producers don't see all of its queues (source %s), and the target can't "+
		"show them the same ones in the same order with %d broker(s)",
		replica.Hidden(brokers), targetBrokers)
	if ordered {
		return findings.QueuesUnlike.Refusal("topic "+topic, next, "%s: keys would go to other queues", cause)
	}
	return findings.QueuesUnlike.Warning("topic "+topic, "nothing, or "+next, "%s: they see all of them there", cause)
}

// EndShrinking is what people do about a topic of which producers don't see all queues.
const EndShrinking = "end that on the source first (as many queues to write to as to read from, " +
	"permission 6)"

// openBroker is the brokerPermission of brokers that take (2) and give (4) messages.
const openBroker = "6"

// closedBroker says that a broker of the target shows clients less than its topics' permissions.
func closedBroker(name string, config map[string]string) []api.Finding {
	perm := cmp.Or(config["brokerPermission"], openBroker)
	if perm == openBroker {
		return nil
	}
	return []api.Finding{
		findings.TargetBrokerClosed.Refusal("target broker "+name, "set brokerPermission="+openBroker+" on it",
			"has brokerPermission=%s, which name servers show clients for each of its topics", perm),
	}
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
			"(%s), and the target can't show them the same: %s", replica.Hidden(source), EndShrinking)
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
