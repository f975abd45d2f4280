package rocketmq

import (
	"fmt"
	"slices"
	"strings"
)

// Elsewhere is a broker whose queues of a topic clients see, and which isn't looked at.
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

// Elsewhere are the brokers of the route whose names aren't among these, sorted by name: of another
// cluster that the name servers know, or left out. Cluster is empty where the route doesn't say it.
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
