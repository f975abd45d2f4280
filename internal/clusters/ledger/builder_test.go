package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
)

func TestABrokerThatIsReadFromItsSlaveIsInTheLedger(t *testing.T) {
	b := &Builder{Layout: clusters.Layout{SourceBrokers: []rocketmq.Broker{
		{Name: "broker-a", Addr: "127.0.0.1:1"},
		{Name: "broker-b", Addr: "127.0.0.1:2", Slave: true},
	}}}
	require.NoError(t, b.slaves(t.Context()))
	require.Len(t, b.rows, 1)
	assert.Equal(t, "broker broker-b", b.rows[0].Object)
	assert.EqualValues(t, 1, b.Sum, "what nobody saw isn't finished")
}
