package gateway

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

// readBy are those of the source's brokers that the migration's lanes read.
func (bs *bothSides) readBy(m *migration, brokers []string) []string {
	return slices.DeleteFunc(slices.Clone(brokers), func(name string) bool {
		return !m.Reads(name, bs.clusters[routing.Source].of(name))
	})
}

// excuse counts brokers that lanes don't read as registered: pairs don't wait for one that is down.
func (bs *bothSides) excuse(m *migration, registered map[string]bool) {
	for _, name := range m.LeftOut {
		registered[name] = true
	}
	if all := bs.clusters[routing.Source].byBroker.Load(); all != nil {
		for name, cluster := range *all {
			if !m.Reads(name, cluster) {
				registered[name] = true
			}
		}
	}
}

// readOf splits the queues of a topic into those that lanes read, and the brokers of the others.
func (bs *bothSides) readOf(m *migration, queues []lane.Queue) (read []lane.Queue, unread []string) {
	for _, q := range queues {
		switch {
		case m.Reads(q.Broker, bs.clusters[routing.Source].of(q.Broker)):
			read = append(read, q)
		case !slices.Contains(unread, q.Broker):
			unread = append(unread, q.Broker)
		}
	}
	return read, unread
}

// pairTopic pairs the queues that the source has of a topic with those of the target; masters are
// those of both sides that count.
func (g *Gateway) pairTopic(m *migration, t *routing.Topic, queues []lane.Queue, to layout, masters [2][]string) {
	read, unread := g.sides.readOf(m, queues)
	there := to.queues[t.Name]
	lanes, err := lanesOf(t.Name, read, there, masters, t.Kept())
	problem := notRead(t.Name, unread)
	if err != nil {
		problem = err.Error()
	}
	if n := to.vast[t.Name]; n > 0 {
		problem = tooVast(t.Name, n, routing.Target)
	}
	t.Pair(lanes, problem, g.table.InUse)
	t.Beyond.Store(int64(len(there) - len(lanes)))
}

// notRead is why a topic doesn't move of which lanes don't read all queues that clients see; "" if
// it may. Retries of a queue without a pair are read where they are.
func notRead(topic string, unread []string) string {
	if _, retry := rocketmq.RetryGroup(topic); retry || len(unread) == 0 {
		return ""
	}
	return fmt.Sprintf("clients also see queues of topic %s on source broker %s, which the migration doesn't read "+
		"(another cluster, or left out): delete the topic there, or exclude it", topic, strings.Join(unread, ", "))
}
