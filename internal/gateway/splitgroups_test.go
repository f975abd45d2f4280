package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// sharedTopic is a gateway that knows a topic with two queues and their lanes.
func sharedTopic(t *testing.T) (*Gateway, []*routing.Queue) {
	t.Helper()
	g := bare(Config{})
	orders := g.table.Topics.Ensure("orders")
	orders.Ensure("a", 2)
	orders.Pair([]lane.Lane{
		{Topic: "orders", Source: lane.Queue{Broker: "a"}, Target: lane.Queue{Broker: "x", ID: 4}},
		{Topic: "orders", Source: lane.Queue{Broker: "a", ID: 1}, Target: lane.Queue{Broker: "x", ID: 5}},
	}, "", nil)
	return g, orders.All()
}

// Heartbeats that name groups which nobody reads cost brokers nothing.
func TestOnlyGroupsThatAskAreLookedAt(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, `{"clientID":"one","consumerDataSet":[{"groupName":"billing"},`+
		`{"groupName":"invented"},{"groupName":"invented-2"}]}`)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is)
	for _, names := range g.gateway.clients.groupsByAddress() {
		assert.Equal(t, []string{"billing"}, names)
	}
	assert.Len(t, g.gateway.clients.groupsByAddress(), 1)
}
