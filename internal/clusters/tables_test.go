package clusters

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/replicator/lane"
)

func TestQueuesComeInClientOrder(t *testing.T) {
	table := TopicTable{
		"orders": {"broker-b": {ReadQueues: 1, WriteQueues: 2}, "broker-a": {ReadQueues: 2, WriteQueues: 1}},
	}
	assert.Equal(
		t,
		[]lane.Queue{
			{Broker: "broker-a"},
			{Broker: "broker-a", ID: 1},
			{Broker: "broker-b"},
			{Broker: "broker-b", ID: 1},
		},
		table.Queues("orders"),
	)
	assert.Empty(t, table.Queues("absent"))
}
