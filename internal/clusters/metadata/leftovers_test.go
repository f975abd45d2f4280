package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func TestCopiesAreLookedForWhereLanesHaveNotBegun(t *testing.T) {
	has := func(broker string, n int) map[string]rocketmq.TopicConfig {
		return map[string]rocketmq.TopicConfig{broker: {ReadQueues: n, WriteQueues: n, Perm: 6}}
	}
	queue := func(broker string, id int) lane.Queue { return lane.Queue{Broker: broker, ID: id} }
	l := clusters.Layout{
		SourceTopics: clusters.TopicTable{
			"more":  has("a", 2),
			"alike": has("a", 2),
			"fewer": has("a", 2),
			"new":   has("a", 2),
		},
		TargetTopics: clusters.TopicTable{"more": has("x", 1), "alike": has("x", 2), "fewer": has("x", 3)},
	}
	begun := clusters.Committed{"alike": {queue("a", 0): 7}}
	assert.Equal(t, []lane.Queue{queue("x", 0)}, suspects(l, "more", nil), "too few queues, whatever is read")
	assert.Equal(t, []lane.Queue{queue("x", 1)}, suspects(l, "alike", begun))
	assert.Empty(t, suspects(l, "alike", nil), "nobody knows how far lanes are")
	assert.Empty(t, suspects(l, "fewer", begun))
	assert.Empty(t, suspects(l, "new", begun), "it isn't there yet")
}
