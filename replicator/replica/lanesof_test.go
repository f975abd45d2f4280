package replica

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func TestATopicOfTooManyQueuesIsNotListed(t *testing.T) {
	brokers := map[string]map[string]rocketmq.TopicConfig{
		"broker-a": {
			"orders": {ReadQueues: lane.MostQueues - 1, WriteQueues: 4},
		}, "broker-b": {"orders": {WriteQueues: 1}},
	}
	queues, err := list(brokers, "orders")
	require.NoError(t, err)
	assert.Len(t, queues, lane.MostQueues)
	for _, n := range []int{2, math.MaxInt32} { // one more, and what would need 240 GB
		brokers["broker-b"]["orders"] = rocketmq.TopicConfig{ReadQueues: n}
		_, err = list(brokers, "orders")
		require.ErrorContains(t, err, "can't be copied")
	}
}
