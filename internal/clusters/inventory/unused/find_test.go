package unused

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/facts/factstest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/replicator/lane"
)

var first = lane.Queue{Broker: "broker-a"}

// used is a source on which everything is used.
func used() facts.Facts {
	return facts.Facts{
		TopicNames: []string{"orders"}, GroupNames: []string{"billing"},
		Readers:   map[string][]string{"orders": {"billing"}},
		Messages:  map[string]int64{"orders": 10},
		Ranges:    map[string]map[lane.Queue]rocketmq.QueueRange{"orders": {first: {Min: 5, Max: 15}}},
		Positions: map[string]clusters.Committed{"billing": {"orders": {first: 7}}},
		Online:    map[string]clusters.Connections{},
	}
}

func TestWhatNobodyUsesIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*facts.Facts)
		want   []string
	}{
		"all is used":                   {func(*facts.Facts) {}, nil},
		"neither members nor positions": {func(f *facts.Facts) { f.Positions = nil }, []string{"group-unused"}},
		"what it would read next is deleted": {
			func(f *facts.Facts) { f.Positions["billing"]["orders"][first] = 4 }, []string{"group-abandoned"},
		},
		"the same, with members": {func(f *facts.Facts) {
			f.Positions["billing"]["orders"][first] = 4
			f.Online["billing"] = clusters.Connections{Members: map[string]clusters.Member{"c": {}}}
		}, nil},
		"positions on other topics alone": {func(f *facts.Facts) {
			f.Positions["billing"] = clusters.Committed{"elsewhere": {first: 7}}
		}, []string{"group-unused"}},
		"a position on a queue that the topic had once": {func(f *facts.Facts) {
			f.Positions["billing"] = clusters.Committed{"orders": {lane.Queue{Broker: "broker-a", ID: 3}: 7}}
		}, nil},
		"an empty topic without readers": {func(f *facts.Facts) {
			f.Messages["orders"], f.Readers = 0, nil
		}, []string{"topic-unused"}},
		"an empty topic that is read": {func(f *facts.Facts) { f.Messages["orders"] = 0 }, nil},
		"messages without readers":    {func(f *facts.Facts) { f.Readers = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			seen := used()
			c.change(&seen)
			assert.Equal(t, c.want, factstest.IDs(append(idleGroups(seen), idleTopics(seen)...)))
		})
	}
}

func TestQueuesThatATopicHadOnceAndStillHoldMessagesAreFound(t *testing.T) {
	find := func(position int) []string {
		source := &remotingtest.Cluster{
			Name: "C4", Broker: "broker-a", Version: "V4_9_7",
			Topics: map[string]remotingtest.Topic{
				"orders": {Read: 4, Write: 4, Perm: 6, Held: map[int][2]int64{0: {0, 9}, 6: {2, 9}}},
			},
			Offsets: map[string]map[int]int64{"orders@billing": {0: 7, position: 3}},
		}
		sides, seen := factstest.Sides(t, source, nil), used()
		factstest.Tables(t, sides.Source, &seen)
		all, err := Find(t.Context(), sides, seen)
		require.NoError(t, err)
		var told []string
		for _, f := range all {
			told = append(told, f.ID+": "+f.Evidence[0].Fact)
		}
		return told
	}
	assert.Equal(
		t,
		[]string{"queues-left: queue broker-a/6 holds 7 messages, and the topic has 4 queues there"},
		find(6),
	)
	assert.Empty(t, find(5), "it is empty")
	assert.Empty(t, find(3), "it is one of the topic's")
}
