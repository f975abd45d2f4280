package activities

import (
	"context"
	"fmt"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker whose master is down can be copied from its slave, if the plan says so. Nothing can be
// sent there, what is written there besides (fences, permissions, positions) is lost when a master
// returns, and what the master had and hadn't passed on isn't seen. So nothing moves meanwhile, and
// whoever counts says it.

// slaveFindings tell which brokers are read from a slave.
func slaveFindings(brokers []rocketmq.Broker) (all []api.Finding) {
	for _, b := range brokers {
		if b.Slave {
			all = append(all, warning("source broker "+b.Name,
				"start its master before the first step of Shift; when it is there, it is read again",
				"has no master and is read from its slave %s, as source.readSlaves says: what the master had "+
					"and hadn't passed on isn't seen, nothing is copied back to it, and nothing moves", b.Addr))
		}
	}
	return all
}

// slavesLack tells of topics that slaves, which are read in place of their masters, don't know
// whole. They are refused: what is in their queues would be copied by nobody.
func (c *cluster) slavesLack(ctx context.Context, inv *inventory) (all []api.Finding, err error) {
	if len(rocketmq.FromSlaves(inv.brokers)) == 0 {
		return nil, nil
	}
	names, err := c.TopicNames(ctx)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	for _, topic := range names {
		if systemTopic(topic, inv.brokers) || !inv.plan.Topics.Match(topic) {
			continue
		}
		route, seen := inv.routes[topic]
		if !seen {
			route, err = c.Route(ctx, topic)
		}
		if err != nil && remoting.CodeOf(err) != remoting.TopicNotExist {
			return nil, c.explain(ctx, err)
		}
		for _, l := range rocketmq.LackingOn(route, inv.brokers, topic, inv.topics[topic]) {
			all = append(all, refusal("topic "+topic, l.Mend()+"; then assess again", "%s", l))
		}
	}
	return all, nil
}

// mastered fails with NotReadyType while a broker has no master: what is to be written there would
// be lost.
func (c *cluster) mastered(brokers []rocketmq.Broker) error {
	if names := rocketmq.FromSlaves(brokers); len(names) > 0 {
		return fault.NotReady("%s broker %s has no master and is read from its slave: nothing moves until its master is up; "+
			"start it, and it goes on by itself", c.side, strings.Join(names, ", "))
	}
	return nil
}

// slaves enters that of a broker without a master only its slave was looked at.
func (b *ledgerBuilder) slaves(context.Context) error {
	for _, name := range rocketmq.FromSlaves(b.sourceBrokers) {
		b.enter(kindSlave, "broker "+name, 1,
			"has no master and was read from its slave: what the master had besides isn't known; start it")
	}
	return nil
}

// readFrom says of which brokers a slave was read.
func readFrom(brokers []rocketmq.Broker) (all []string) {
	for _, b := range brokers {
		if b.Slave {
			all = append(all, fmt.Sprintf("%s (slave %s)", b.Name, b.Addr))
		}
	}
	return all
}
