package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func TestNothingMovesWhileABrokerIsReadFromItsSlave(t *testing.T) {
	brokers := []rocketmq.Broker{
		{Name: "broker-a", Addr: "127.0.0.1:1"},
		{Name: "broker-b", Addr: "127.0.0.1:2", Slave: true},
	}
	c := &clusters.One{Side: api.Source}
	require.NoError(t, c.Mastered(brokers[:1]))
	err := c.Mastered(brokers)
	assert.Equal(t, NotReadyType, typeOf(err), "it goes on by itself")
	require.ErrorContains(t, err, "source broker broker-b has no master and is read from its slave: nothing moves")
	assert.Equal(t, []string{"broker-b (slave 127.0.0.1:2)"}, clusters.ReadFrom(brokers))
	found := slaveFindings(brokers)
	require.Len(t, found, 1)
	assert.False(t, found[0].Refusal, "the plan asks for it")
	assert.Contains(t, found[0].Cause, "is read from its slave 127.0.0.1:2, as source.readSlaves says")
	b := &ledgerBuilder{Layout: clusters.Layout{SourceBrokers: brokers}}
	require.NoError(t, b.slaves(t.Context()))
	require.Len(t, b.rows, 1)
	assert.Equal(t, "broker broker-b", b.rows[0].Object)
	assert.EqualValues(t, 1, b.sum, "what nobody saw isn't finished")
	sum := api.Verification{
		FromSlaves: []string{"b"},
	}.Plus(
		api.Verification{FromSlaves: []string{"a", "b"}, LeftOut: []string{"c"}},
	)
	assert.Equal(t, []string{"c"}, sum.LeftOut, "nor does the verdict cover what the plan leaves out")
	assert.Equal(t, []string{"a", "b"}, sum.FromSlaves)
	assert.Nil(t, api.Verification{}.Plus(api.Verification{}).FromSlaves)
}

func TestCopiesAreLookedForWhereLanesHaveNotBegun(t *testing.T) {
	has := func(broker string, n int) map[string]rocketmq.TopicConfig {
		return map[string]rocketmq.TopicConfig{broker: {ReadQueues: n, WriteQueues: n, Perm: 6}}
	}
	queue := func(broker string, id int) lane.Queue { return lane.Queue{Broker: broker, ID: id} }
	l := clusters.Layout{
		SourceTopics: clusters.TopicTable{"more": has("a", 2), "alike": has("a", 2), "fewer": has("a", 2), "new": has("a", 2)},
		TargetTopics: clusters.TopicTable{"more": has("x", 1), "alike": has("x", 2), "fewer": has("x", 3)},
	}
	begun := clusters.Committed{"alike": {queue("a", 0): 7}}
	assert.Equal(t, []lane.Queue{queue("x", 0)}, suspects(l, "more", nil), "too few queues, whatever is read")
	assert.Equal(t, []lane.Queue{queue("x", 1)}, suspects(l, "alike", begun))
	assert.Empty(t, suspects(l, "alike", nil), "nobody knows how far lanes are")
	assert.Empty(t, suspects(l, "fewer", begun))
	assert.Empty(t, suspects(l, "new", begun), "it isn't there yet")
}
