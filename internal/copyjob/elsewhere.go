package copyjob

import (
	"context"
	"fmt"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// lookElsewhere notes what the copy ignores: brokers that are left out, and queues of its topics
// that clients see in another cluster of the same name servers.
func (c *Job) lookElsewhere(ctx context.Context, source, target topicsOf) error {
	for _, name := range c.From.part.LeftOut {
		c.notSeen = append(c.notSeen, fmt.Sprintf("source broker %s is left out: what it holds isn't copied", name))
	}
	if err := c.elsewhere(ctx, c.Source, source, "isn't copied"); err != nil {
		return err
	}
	return c.elsewhere(ctx, c.Target, target, "isn't compared, and keys go to other queues there")
}

// elsewhere notes what clients see of the topics in other clusters of a side; what says what
// happens to it.
func (c *Job) elsewhere(ctx context.Context, cluster *rocketmq.Cluster, side topicsOf, what string) error {
	if side.part.Cluster == "" { // the name servers know only one cluster
		return nil
	}
	for _, topic := range c.topics {
		route, err := cluster.Route(ctx, topic)
		if remoting.CodeOf(err) == remoting.TopicNotExist {
			continue
		}
		if err != nil {
			return failure.Broken("start it, or correct --"+string(side.side), "%s doesn't answer: %w", side, err)
		}
		for _, e := range route.Elsewhere(append(side.names(), side.part.LeftOut...)) {
			c.notSeen = append(c.notSeen,
				fmt.Sprintf("topic %s: clients of the %s also see %s, which %s", topic, side.side, e, what))
		}
	}
	return nil
}
