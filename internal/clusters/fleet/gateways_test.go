package fleet

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

func TestHomesMoveAcrossTopicsAndBack(t *testing.T) {
	var lanes []lane.Lane
	for _, topic := range []string{"b", "a"} {
		for i := range 4 {
			lanes = append(lanes, lane.Lane{Topic: topic, Index: i, Source: lane.Queue{Broker: "broker-a", ID: i}})
		}
	}
	of := func(topic string, id int) control.TopicQueue {
		return control.TopicQueue{Topic: topic, Queue: lane.Queue{Broker: "broker-a", ID: id}}
	}
	for name, c := range map[string]struct {
		percent            int
		away               []control.TopicQueue
		toTarget, toSource []control.TopicQueue
	}{
		"one percent is one queue":            {percent: 1, toTarget: []control.TopicQueue{of("a", 0)}},
		"each topic's first before any other": {percent: 25, toTarget: []control.TopicQueue{of("a", 0), of("b", 0)}},
		"what is there stays":                 {percent: 25, away: []control.TopicQueue{of("a", 0)}, toTarget: []control.TopicQueue{of("b", 0)}},
		"a smaller share brings the rest back": {
			percent: 25, away: []control.TopicQueue{of("a", 0), of("b", 0), of("a", 1)},
			toSource: []control.TopicQueue{of("a", 1)},
		},
		"nothing stays": {percent: 0, away: []control.TopicQueue{of("b", 3)}, toSource: []control.TopicQueue{of("b", 3)}},
	} {
		toTarget, toSource := HomesToMove(lanes, c.percent, c.away)
		assert.Equal(t, c.toTarget, toTarget, name)
		assert.Equal(t, c.toSource, toSource, name)
	}
}

func TestHomesThatAllGoBackAreThoseOfTheMigrationsTopics(t *testing.T) {
	away := []control.TopicQueue{
		{Topic: "orders"},
		{Topic: "of another migration"},
		{Topic: "orders", Queue: lane.Queue{ID: 1}},
	}
	assert.Equal(t, []control.TopicQueue{away[0], away[2]},
		HomesOf(func(topic string) bool { return slices.Contains([]string{"orders", "audit"}, topic) }, away))
}

func TestGroupsThatMovedInPartAreKnown(t *testing.T) {
	state := control.State{
		Groups: []control.GroupSide{
			{Group: "stays", Source: 4},
			{Group: "partly", Source: 1, Target: 4},
			{Group: "moved", Target: 5},
		},
	}
	assert.Equal(t, []string{"partly"}, PartlyMoved(state))
}

func TestClientsThatCannotFollowCountWhereTheyShareInThePlan(t *testing.T) {
	state := control.State{Clients: []control.Connected{
		{ID: "fits", Groups: []string{"billing"}},
		{ID: "reads", Problem: "is unknown", Groups: []string{"billing"}},
		{ID: "writes", Problem: "is unknown", Topics: []string{"other", "orders"}},
		{ID: "elsewhere", Problem: "is unknown", Groups: []string{"other"}, Topics: []string{"other"}},
		{ID: "silent", Problem: "is unknown"},
	}}
	p := plan.Plan{
		Topics: plan.TopicSelection{Selection: plan.Selection{Include: []string{"ord*"}}},
		Groups: plan.Selection{Include: []string{"bill*"}},
	}
	assert.Equal(t, []string{"reads at  is unknown", "writes at  is unknown"}, UnfitClients(state, p))
}

func TestClientsPastTheGatewaysAreThoseThatNoneOfThemServes(t *testing.T) {
	state := control.State{Clients: []control.Connected{{ID: "behind@1"}}}
	members := map[string]clusters.Connections{
		"billing": {Members: map[string]clusters.Member{
			"behind@1": {Connection: rocketmq.Connection{ClientID: "behind@1", Addr: "10.0.0.9:1"}},
			"past@1":   {Connection: rocketmq.Connection{ClientID: "past@1", Addr: "10.0.0.7:1"}},
		}},
		"of others": {
			Members: map[string]clusters.Member{"other@1": {Connection: rocketmq.Connection{ClientID: "other@1"}}},
		},
	}
	producers := map[string]map[string]rocketmq.Connection{"shop": {
		"behind@1": {ClientID: "behind@1"}, "past@2": {ClientID: "past@2", Addr: "10.0.0.8:1"},
	}}
	assert.Equal(t, []string{"past@1 at 10.0.0.7:1, of group billing", "past@2 at 10.0.0.8:1, of group shop"},
		PastGateway(state, []string{"billing"}, members, producers))
	state.Bypass = []control.Bypass{
		{Topic: "orders", Side: "source", Address: "10.0.0.8"},
		{Topic: "of others", Side: "source", Address: "10.0.0.9"},
	}
	assert.Equal(t, []string{"a producer at 10.0.0.8, which writes to topic orders of the source"},
		pastProducers(state, plan.TopicSelection{Selection: plan.Selection{Include: []string{"ord*"}}}))
	for text, p := range map[string]*api.Past{
		"":                         nil,
		"who writes can't be told": {Unknown: "who writes can't be told"},
		"1 clients reach brokers past the gateways: a at b":              {Count: 1, Clients: []string{"a at b"}},
		"30 clients reach brokers past the gateways: a at b, and others": {Count: 30, Clients: []string{"a at b"}},
	} {
		assert.Equal(t, text, p.String())
	}
}
