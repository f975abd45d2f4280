package gateway

import (
	"strings"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Brokers name their cluster in each message that they store (property CLUSTER, from 4.6 on), and
// clients answer requests by that name. Clients behind the gateway know the source's names alone.

// cluster is the one that the session's client is connected to, as it knows.
func (s *session) cluster() string {
	return s.gateway.sides.Clusters[routing.Source].Of(string(s.port.broker))
}

// Properties whose values are told to clients otherwise. Brokers write the id of a message that
// failed into its retries (AbstractSendMessageProcessor.consumerSendMsgBack, 5.3.3).
var (
	propCluster    = []byte(remoting.PropCluster)
	propOriginalID = []byte("ORIGIN_MESSAGE_ID")
)

// named says what clients are told of messages of a topic that come from the upstream's broker.
func (u *upstream) named(topic string) (n wire.Named) {
	there, here := u.session.gateway.sides.Clusters[u.dest.Side].Of(u.dest.Broker), u.session.cluster()
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
