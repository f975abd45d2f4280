package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func TestOnlyQueuesThatLanesReadAreKnown(t *testing.T) {
	p := plan.Plan{Name: "orders", Topics: plan.TopicSelection{Selection: plan.Selection{
		Include: []string{"orders", "gone"},
	}}, Groups: plan.Selection{Include: []string{"billing"}}}
	brokers := []rocketmq.Broker{{Name: "broker-a", Cluster: "shop"}, {Name: "broker-b", Cluster: "shop"}}
	two := rocketmq.TopicConfig{ReadQueues: 2, WriteQueues: 2}
	table := clusters.TopicTable{
		"orders":         {"broker-a": two, "broker-b": {ReadQueues: 1, WriteQueues: 1}},
		"payments":       {"broker-a": two},
		"%RETRY%billing": {"broker-a": {ReadQueues: 1, WriteQueues: 1}},
		"%RETRY%others":  {"broker-a": {ReadQueues: 1, WriteQueues: 1}},
	}
	for name, c := range map[string]struct {
		request LaneRequest
		refused string // empty: it is known
	}{
		"a topic":                   {LaneRequest{Topic: "orders"}, ""},
		"a queue":                   {LaneRequest{Topic: "orders", Broker: "broker-a", Queue: 1}, ""},
		"a group's own topic":       {LaneRequest{Topic: "%RETRY%billing", Broker: "broker-a"}, ""},
		"no such topic":             {LaneRequest{Topic: "gone"}, "is on no broker of the source"},
		"a topic of others":         {LaneRequest{Topic: "payments"}, "none of this migration's"},
		"another group's own topic": {LaneRequest{Topic: "%RETRY%others"}, "none of this migration's"},
		"no such queue": {
			LaneRequest{Topic: "orders", Broker: "broker-b", Queue: 1},
			"no queue broker-b/1 on the source: name one of broker-a/0, broker-a/1, broker-b/0",
		},
		"no such broker": {LaneRequest{Topic: "orders", Broker: "broker-x"}, "no queue broker-x/0"},
	} {
		err := c.request.check(p, api.Source, brokers, table)
		if c.refused == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.refused, name)
	}
}
