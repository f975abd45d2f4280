package inventory

import (
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Name servers show clients the queues of a topic on all brokers that have it, of whatever cluster.
// Lanes read those of one cluster, but for brokers that are left out.

// elsewhere tells which of a topic's queues clients see on the source, and lanes don't read. In
// another cluster it refuses: what producers write there would be read by nobody once consumers
// have moved. Gateways stand in for all brokers, so that no group moves that reads such a queue.
func (inv *look) elsewhere(topic string, route rocketmq.Route) (all []api.Finding) {
	for _, e := range route.Elsewhere(clusters.SortedKeys(inv.topics[topic])) {
		leftOut := slices.Contains(inv.plan.Source.LeftOut, e.Broker)
		other := !leftOut && inv.plan.Source.Cluster != "" && e.Cluster != "" && e.Cluster != inv.plan.Source.Cluster
		found := findings.QueuesElsewhere.Warning("topic "+topic,
			"nothing, if the broker is left out on purpose; keys go to other queues on the target then",
			"clients also see its %s, which isn't looked at", e)
		switch {
		case other:
			found = found.Refused()
			found.Next = fmt.Sprintf(
				"delete it in one of both clusters (mqadmin deleteTopic -c), exclude it, or name broker %s "+
					"in source.leftOut if nobody needs what is there",
				e.Broker,
			)
		case leftOut && inv.plan.Traffic.Mode == plan.ModeGateway:
			found = found.Refused()
			found.Next = "delete it there or exclude it, or move in traffic.mode release: behind gateways no group " +
				"moves that reads queues which lanes don't"
		}
		all = append(all, found)
	}
	return all
}
