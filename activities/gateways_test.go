package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway"
	"rocketshift/replicator"
)

func TestHomesMoveAcrossTopicsAndBack(t *testing.T) {
	var lanes []replicator.Lane
	for _, topic := range []string{"b", "a"} {
		for i := range 4 {
			lanes = append(lanes, replicator.Lane{Topic: topic, Index: i, Source: replicator.Queue{Broker: "broker-a", ID: i}})
		}
	}
	of := func(topic string, id int) gateway.TopicQueue {
		return gateway.TopicQueue{Topic: topic, Queue: replicator.Queue{Broker: "broker-a", ID: id}}
	}
	for name, c := range map[string]struct {
		percent            int
		away               []gateway.TopicQueue
		toTarget, toSource []gateway.TopicQueue
	}{
		"one percent is one queue":            {percent: 1, toTarget: []gateway.TopicQueue{of("a", 0)}},
		"each topic's first before any other": {percent: 25, toTarget: []gateway.TopicQueue{of("a", 0), of("b", 0)}},
		"what is there stays":                 {percent: 25, away: []gateway.TopicQueue{of("a", 0)}, toTarget: []gateway.TopicQueue{of("b", 0)}},
		"a smaller share brings the rest back": {
			percent: 25, away: []gateway.TopicQueue{of("a", 0), of("b", 0), of("a", 1)}, toSource: []gateway.TopicQueue{of("a", 1)},
		},
		"nothing stays": {percent: 0, away: []gateway.TopicQueue{of("b", 3)}, toSource: []gateway.TopicQueue{of("b", 3)}},
	} {
		toTarget, toSource := homesToMove(lanes, c.percent, c.away)
		assert.Equal(t, c.toTarget, toTarget, name)
		assert.Equal(t, c.toSource, toSource, name)
	}
}

func TestGroupsThatMovedInPartAreKnown(t *testing.T) {
	state := gateway.State{Groups: []gateway.GroupSide{{Group: "stays", Source: 4}, {Group: "partly", Source: 1, Target: 4}, {Group: "moved", Target: 5}}}
	assert.Equal(t, []string{"partly"}, partlyMoved(state))
}
