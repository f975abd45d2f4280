package replicas

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// The gateway stands in for all brokers that the source's name servers know. Those may be of
// several clusters, or be left out by the plan: lanes don't read their queues, so pairs are made
// without them.

// ReadBy are those of the source's brokers that the migration's lanes read.
func (bs *Sides) ReadBy(m *Migration, brokers []string) []string {
	return slices.DeleteFunc(slices.Clone(brokers), func(name string) bool {
		return !m.Reads(name, bs.Clusters[routing.Source].Of(name))
	})
}

// Excuse counts brokers that lanes don't read as registered: pairs don't wait for one that is down.
func (bs *Sides) Excuse(m *Migration, registered map[string]bool) {
	for _, name := range m.LeftOut {
		registered[name] = true
	}
	if all := bs.Clusters[routing.Source].byBroker.Load(); all != nil {
		for name, cluster := range *all {
			if !m.Reads(name, cluster) {
				registered[name] = true
			}
		}
	}
}

// ReadOf splits the queues of a topic into those that lanes read, and the brokers of the others.
func (bs *Sides) ReadOf(m *Migration, queues []lane.Queue) (read []lane.Queue, unread []string) {
	for _, q := range queues {
		switch {
		case m.Reads(q.Broker, bs.Clusters[routing.Source].Of(q.Broker)):
			read = append(read, q)
		case !slices.Contains(unread, q.Broker):
			unread = append(unread, q.Broker)
		}
	}
	return read, unread
}

// NotRead is why a topic doesn't move of which lanes don't read all queues that clients see; "" if
// it may. Retries of a queue without a pair are read where they are.
func NotRead(topic string, unread []string) string {
	if _, retry := rocketmq.RetryGroup(topic); retry || len(unread) == 0 {
		return ""
	}
	return fmt.Sprintf("clients also see queues of topic %s on source broker %s, which the migration doesn't read "+
		"(another cluster, or left out): delete the topic there, or exclude it", topic, strings.Join(unread, ", "))
}
