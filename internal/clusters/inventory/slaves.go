package inventory

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker whose master is down can be copied from its slave, if the plan says so. Nothing can be
// sent there, what is written there besides (fences, permissions, positions) is lost when a master
// returns, and what the master had and hadn't passed on isn't seen. So nothing moves meanwhile, and
// whoever counts says it.

// slavesLack tells of topics that slaves, which are read in place of their masters, don't know
// whole. They are refused: what is in their queues would be copied by nobody.
func slavesLack(ctx context.Context, c *clusters.One, inv *look) (all []api.Finding, err error) {
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
			all = append(all, findings.SlaveLacksTopic.Refusal("topic "+topic, l.Mend()+"; then assess again", "%s", l))
		}
	}
	return all, nil
}

// slaveFindings tell which brokers are read from a slave.
func slaveFindings(brokers []rocketmq.Broker) (all []api.Finding) {
	for _, b := range brokers {
		if b.Slave {
			all = append(all, findings.BrokerFromSlave.Warning("source broker "+b.Name,
				"start its master before the first step of Shift; when it is there, it is read again",
				"has no master and is read from its slave %s, as source.readSlaves says: what the master had "+
					"and hadn't passed on isn't seen, nothing is copied back to it, and nothing moves", b.Addr))
		}
	}
	return all
}

// leftBehind tells which brokers the plan leaves out.
func leftBehind(leftOut []string) (all []api.Finding) {
	for _, name := range leftOut {
		all = append(
			all,
			findings.BrokerLeftOut.Warning(
				"source broker "+name,
				"move by hand what is on it, or take it out of source.leftOut",
				"is left out by the plan: its queues, messages and positions aren't looked at",
			),
		)
	}
	return all
}
