package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/clusters"
)

// mqadmin creates a topic broker by broker.
func TestANewTopicIsMadeWhenItsQueuesAreTheSameAtTwoLooks(t *testing.T) {
	f := NewFollower(clusters.Both{}, clusters.Layout{})
	assert.False(t, f.Unsettled())
	assert.False(t, f.settled("clicks", clusters.Counts{"broker-b": 2}), "seen for the first time")
	assert.True(t, f.Unsettled(), "it is looked again soon")
	assert.False(t, f.settled("clicks", clusters.Counts{"broker-a": 2, "broker-b": 2}), "another broker got it")
	assert.True(t, f.settled("clicks", clusters.Counts{"broker-a": 2, "broker-b": 2}))
	assert.False(t, f.settled("orders", clusters.Counts{"broker-a": 2}), "each topic for itself")
}
