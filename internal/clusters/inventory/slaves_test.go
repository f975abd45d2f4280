package inventory

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
)

func TestNothingMovesWhileABrokerIsReadFromItsSlave(t *testing.T) {
	brokers := []rocketmq.Broker{
		{Name: "broker-a", Addr: "127.0.0.1:1"},
		{Name: "broker-b", Addr: "127.0.0.1:2", Slave: true},
	}
	c := &clusters.One{Side: api.Source}
	require.NoError(t, c.Mastered(brokers[:1]))
	err := c.Mastered(brokers)
	assert.True(t, fault.IsNotReady(err), "it goes on by itself")
	require.ErrorContains(t, err, "source broker broker-b has no master and is read from its slave: nothing moves")
	assert.Equal(t, []string{"broker-b (slave 127.0.0.1:2)"}, clusters.ReadFrom(brokers))
	found := slaveFindings(brokers)
	require.Len(t, found, 1)
	assert.False(t, found[0].Refusal, "the plan asks for it")
	assert.Contains(t, found[0].Cause, "is read from its slave 127.0.0.1:2, as source.readSlaves says")
	sum := api.Verification{
		FromSlaves: []string{"b"},
	}.Plus(
		api.Verification{FromSlaves: []string{"a", "b"}, LeftOut: []string{"c"}},
	)
	assert.Equal(t, []string{"c"}, sum.LeftOut, "nor does the verdict cover what the plan leaves out")
	assert.Equal(t, []string{"a", "b"}, sum.FromSlaves)
	assert.Nil(t, api.Verification{}.Plus(api.Verification{}).FromSlaves)
}
