package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
)

func TestABrokerThatIsReadFromItsSlaveIsMissing(t *testing.T) {
	r := BrokersRequest{Brokers: []string{"broker-a", "broker-b", "broker-c"}}
	require.Equal(t, []string{"broker-b", "broker-c"}, r.missing([]rocketmq.Broker{
		{Name: "broker-a"}, {Name: "broker-b", Slave: true},
	}))
}
