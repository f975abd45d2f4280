package clusters

import (
	"rocketshift/replicator/lane"
)

// Counts are how many queues of a topic each broker has.
type Counts map[string]int

// Counts are how many queues of the topic each broker has.
func (t TopicTable) Counts(topic string) Counts {
	all := Counts{}
	for broker, config := range t[topic] {
		all[broker] = config.Queues()
	}
	return all
}

// Sum is how many queues there are.
func (c Counts) Sum() (n int) {
	for _, queues := range c {
		n += queues
	}
	return n
}

// Queues are all queues, in no order.
func (c Counts) Queues() (all []lane.Queue) {
	for broker, n := range c {
		for id := range n {
			all = append(all, lane.Queue{Broker: broker, ID: id})
		}
	}
	return all
}
