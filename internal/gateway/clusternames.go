package gateway

import (
	"maps"
	"strings"
	"sync/atomic"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Brokers name their cluster in each message that they store (property CLUSTER, from 4.6 on), and
// clients answer requests by that name. Clients behind the gateway know the source's names alone.

// clusterNames are the clusters of a side's brokers. Those of brokers that have gone stay.
type clusterNames struct {
	byBroker atomic.Pointer[map[string]string]
}

// learn takes over what name servers say, and reports whether any of it is new.
func (c *clusterNames) learn(nodes []rocketmq.Node) (changed bool) {
	all := map[string]string{}
	if before := c.byBroker.Load(); before != nil {
		maps.Copy(all, *before)
	}
	for _, n := range nodes {
		if store.IsName(n.Cluster) && all[n.Name] != n.Cluster {
			all[n.Name], changed = n.Cluster, true
		}
	}
	c.byBroker.Store(&all)
	return changed
}

// knownClusters are the clusters of both sides' brokers as they were seen last; nil where none was.
func (bs *bothSides) knownClusters() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		if known := bs.clusters[on].byBroker.Load(); known != nil && len(*known) > 0 {
			all[on.String()] = *known
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// recallClusters goes by the clusters of before a restart until name servers answer.
func (bs *bothSides) recallClusters(kept map[string]map[string]string) {
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		if was := kept[on.String()]; len(was) > 0 {
			was = maps.Clone(was)
			bs.clusters[on].byBroker.Store(&was)
		}
	}
}

// of is the cluster of a broker; "" if it isn't known.
func (c *clusterNames) of(broker string) string {
	if all := c.byBroker.Load(); all != nil {
		return (*all)[broker]
	}
	return ""
}

// has reports whether a broker is of that cluster.
func (c *clusterNames) has(cluster string) bool {
	if all := c.byBroker.Load(); all != nil {
		for _, name := range *all {
			if name == cluster {
				return true
			}
		}
	}
	return false
}

// cluster is the one that the session's client is connected to, as it knows.
func (s *session) cluster() string {
	return s.gateway.sides.clusters[routing.Source].of(string(s.port.broker))
}

// Properties whose values are told to clients otherwise. Brokers write the id of a message that
// failed into its retries (AbstractSendMessageProcessor.consumerSendMsgBack, 5.3.3).
var (
	propCluster    = []byte(remoting.PropCluster)
	propOriginalID = []byte("ORIGIN_MESSAGE_ID")
)

// named says what clients are told of messages of a topic that come from the upstream's broker.
func (u *upstream) named(topic string) (n wire.Named) {
	there, here := u.session.gateway.sides.clusters[u.dest.Side].of(u.dest.Broker), u.session.cluster()
	if there != "" && here != "" && there != here {
		n.Names = append(n.Names, propCluster)
	}
	if strings.HasPrefix(topic, rocketmq.RetryTopic("")) || strings.HasPrefix(topic, rocketmq.DLQTopic("")) {
		n.Names = append(n.Names, propOriginalID)
	}
	if n.Names == nil {
		return n
	}
	n.Value = func(name, value []byte) []byte {
		switch string(name) {
		case remoting.PropCluster:
			if string(value) == there && here != "" {
				return []byte(here)
			}
		case string(propOriginalID):
			u.session.tellStrangeID(value)
		}
		return value
	}
	return n
}

// rename gives messages that come from the upstream's broker the names that clients know.
func (u *upstream) rename(f *wire.Frame, topic string) {
	n := u.named(topic)
	if n.Names == nil {
		return
	}
	if body := n.Rename(f.Body); len(body) != len(f.Body) {
		f.SetBody(body)
	}
}
