package rocketmq

import (
	"fmt"
	"slices"
	"strings"
)

// Elsewhere is a broker that is ignored, while clients see its queues of a topic.
type Elsewhere struct {
	Broker, Cluster string
	Queues          int
}

// String names it.
func (e Elsewhere) String() string {
	if e.Cluster == "" {
		return fmt.Sprintf("%d queues on broker %s", e.Queues, e.Broker)
	}
	return fmt.Sprintf("%d queues on broker %s of cluster %s", e.Queues, e.Broker, e.Cluster)
}

// Elsewhere are the brokers of the route that aren't among these names, sorted by name: those of
// another cluster that the name servers know, and those that are left out. Cluster is empty where
// the route doesn't tell it.
func (r Route) Elsewhere(looked []string) (all []Elsewhere) {
	for _, q := range r.Queues {
		if slices.Contains(looked, q.BrokerName) {
			continue
		}
		one := Elsewhere{Broker: q.BrokerName, Queues: max(q.Read, q.Write)}
		for _, b := range r.Brokers {
			if b.Name == q.BrokerName {
				one.Cluster = b.Cluster
			}
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Elsewhere) int { return strings.Compare(a.Broker, b.Broker) })
	return all
}
