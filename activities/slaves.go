package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker whose master is down can be copied from its slave, if the plan says so. Nothing can be
// sent there, what is written there besides (fences, permissions, positions) is lost when a master
// returns, and what the master had and hadn't passed on isn't seen. So nothing moves meanwhile, and
// whoever counts says it.

// slavesLack tells of topics that slaves, which are read in place of their masters, don't know
// whole. They are refused: what is in their queues would be copied by nobody.
func slavesLack(ctx context.Context, c *clusters.One, inv *inventory) (all []api.Finding, err error) {
	if len(rocketmq.FromSlaves(inv.brokers)) == 0 {
		return nil, nil
	}
	names, err := c.TopicNames(ctx)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	for _, topic := range names {
		if clusters.SystemTopic(topic, inv.brokers) || !inv.plan.Topics.Match(topic) {
			continue
		}
		route, seen := inv.routes[topic]
		if !seen {
			route, err = c.Route(ctx, topic)
		}
		if err != nil && remoting.CodeOf(err) != remoting.TopicNotExist {
			return nil, c.Explain(ctx, err)
		}
		for _, l := range rocketmq.LackingOn(route, inv.brokers, topic, inv.topics[topic]) {
			all = append(all, clusters.Refusal("topic "+topic, l.Mend()+"; then assess again", "%s", l))
		}
	}
	return all, nil
}

// slaves enters that of a broker without a master only its slave was looked at.
func (b *ledgerBuilder) slaves(context.Context) error {
	for _, name := range rocketmq.FromSlaves(b.SourceBrokers) {
		b.enter(kindSlave, "broker "+name, 1,
			"has no master and was read from its slave: what the master had besides isn't known; start it")
	}
	return nil
}
