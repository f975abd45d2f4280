package copyjob

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
)

// A topic with several faults told one of them, and the next one after that was mended.
func TestAllThatIsWrongWithTopicsIsToldAtOnce(t *testing.T) {
	source, target := topicsOn("eu.orders", [3]int{4, 8, 2}), topicsOn("eu.orders", [3]int{})
	source.side, target.side = "source", "target"
	source.topics.Add("a", map[string]rocketmq.TopicConfig{"bare": {ReadQueues: 4, WriteQueues: 4, Perm: 6}})
	source.topics.Add("a", map[string]rocketmq.TopicConfig{"fewer": {ReadQueues: 2, WriteQueues: 2, Perm: 6}})
	target.topics.Add("a", map[string]rocketmq.TopicConfig{"fewer": {ReadQueues: 3, WriteQueues: 3, Perm: 6}})
	copying := &Job{Request: Request{topics: []string{"TBW102", "bare", "eu.orders", "fewer", "nowhere"}}}
	found := &failure.Problems{What: "copy"}
	missing, err := copying.check(t.Context(), source, target, found)
	require.NoError(t, err)
	assert.Empty(t, missing)
	told := found.OrNil().Error()
	for _, want := range []string{
		"TBW102: is RocketMQ's own", "topic bare: is missing on the target", "topic nowhere: is missing on the source",
		"topic eu.orders: can't be read on the source's broker a", "broker a has 8 queues to write to and 4 " +
			"to read from",
		"topic eu.orders: has a name that 5.x doesn't accept", "topic fewer: the source has 2 queues (a 2) " +
			"and the target 3 (a 3)",
	} {
		assert.Contains(t, told, want)
	}
}
