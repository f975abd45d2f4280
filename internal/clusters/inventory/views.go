package inventory

import (
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/replica"
)

// viewFindings are about what clients see of a topic. targetBrokers is 0 where the target isn't
// there yet.
func (inv *look) viewFindings(topic string, targetBrokers int) (all []api.Finding) {
	brokers := inv.topics[topic]
	if all = metadata.Unreadable(topic, brokers); len(all) > 0 {
		return all
	}
	all = inv.routeFindings(topic)
	hidden, parts := replica.Hidden(brokers), replica.Parts(replica.Writable(brokers))
	if hidden == "" {
		return all
	}
	if targetBrokers > 0 && parts > targetBrokers {
		return append(all, metadata.Unlike(topic, brokers, inv.topic(topic).Ordered, targetBrokers))
	}
	next := "nothing, or " + metadata.EndShrinking
	if parts > 1 && targetBrokers == 0 {
		next = fmt.Sprintf("give the target at least %d brokers, or %s", parts, metadata.EndShrinking)
	}
	return append(all, findings.QueuesHidden.Warning("topic "+topic, next,
		"producers don't see all of its queues: source %s; the target shows them the same ones", hidden))
}

// routeFindings tell where name servers show clients something else than the brokers have
// configured. They refuse ordered topics.
func (inv *look) routeFindings(topic string) (all []api.Finding) {
	route, known := inv.routes[topic]
	if !known {
		return nil
	}
	object := "topic " + topic
	tell := func(is findings.ID, next, cause string, args ...any) {
		found := is.Warning(object, next, cause, args...)
		if inv.topic(topic).Ordered {
			found = found.Refused()
		}
		all = append(all, found)
	}
	if route.Order != "" {
		tell(
			findings.OrderConfig,
			"delete it from the source's name servers (mqadmin updateOrderConf -m delete), or exclude "+
				"the topic",
			"name servers tell producers which queues to choose among (order configuration %q), "+
				"and the target's don't: keys go to other queues there",
			route.Order,
		)
	}
	shown := map[string]rocketmq.TopicConfig{}
	for _, q := range route.Queues {
		shown[q.BrokerName] = rocketmq.TopicConfig{ReadQueues: q.Read, WriteQueues: q.Write, Perm: q.Perm}
	}
	all = append(all, inv.elsewhere(topic, route)...)
	for _, broker := range clusters.SortedKeys(inv.topics[topic]) {
		if has, sees := inv.topics[topic][broker], shown[broker]; !shownAsIs(has, sees) {
			tell(
				findings.RouteDiffers,
				"end taking the broker out (mqadmin addWritePerm, brokerPermission=6), or give the "+
					"topic itself permission 4 there; then assess again",
				"name servers show clients %d queues to read from, %d to write to and permission %d on "+
					"broker %s, which has %d, %d and %d: the target is made like the broker",
				sees.ReadQueues,
				sees.WriteQueues,
				sees.Perm,
				broker,
				has.ReadQueues,
				has.WriteQueues,
				has.Perm,
			)
		}
	}
	return all
}

func shownAsIs(has, sees rocketmq.TopicConfig) bool {
	const both = rocketmq.PermRead | rocketmq.PermWrite
	return has.ReadQueues == sees.ReadQueues && has.WriteQueues == sees.WriteQueues &&
		has.Perm&both == sees.Perm&both
}
