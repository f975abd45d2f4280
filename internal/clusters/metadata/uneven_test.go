package metadata

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/rocketmq"
)

// Without the finding the first broker's settings were taken without a word.
func TestATopicWhoseSettingsDifferBetweenItsBrokersIsFound(t *testing.T) {
	plain := rocketmq.TopicConfig{ReadQueues: 4, WriteQueues: 4, Perm: 6, FilterType: "SINGLE_TAG"}
	for name, c := range map[string]struct {
		change func(*rocketmq.TopicConfig)
		fact   string // empty: none is found
	}{
		"the same":   {func(*rocketmq.TopicConfig) {}, ""},
		"queues":     {func(c *rocketmq.TopicConfig) { c.ReadQueues, c.WriteQueues = 2, 1 }, ""},
		"permission": {func(c *rocketmq.TopicConfig) { c.Perm = 4 }, ""},
		"kind of tags": {
			func(c *rocketmq.TopicConfig) { c.FilterType = "MULTI_TAG" },
			"topicFilterType is SINGLE_TAG on a and MULTI_TAG on b",
		},
		"system flag": {func(c *rocketmq.TopicConfig) { c.SysFlag = 1 }, "topicSysFlag is 0 on a and 1 on b"},
		"order":       {func(c *rocketmq.TopicConfig) { c.Order = true }, "order is false on a and true on b"},
	} {
		t.Run(name, func(t *testing.T) {
			other := plain
			c.change(&other)
			both := map[string]rocketmq.TopicConfig{"a": plain, "b": other}
			isUneven(t, UnevenTopic("orders", both, time.Now()), "topic orders", c.fact)
		})
	}
	assert.Empty(t, UnevenTopic("orders", map[string]rocketmq.TopicConfig{"a": plain}, time.Now()))
}

func TestAGroupWhoseSettingsDifferBetweenItsBrokersIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		fact   string
	}{
		"the same":      {func(map[string]any) {}, ""},
		"closed on one": {func(g map[string]any) { g["consumeEnable"] = false }, ""},
		"retries":       {func(g map[string]any) { g["retryMaxTimes"] = 3 }, "retryMaxTimes is 16 on a and 3 on b"},
		"broadcasting": {
			func(g map[string]any) { g["consumeBroadcastEnable"] = false },
			"consumeBroadcastEnable is true on a and false on b",
		},
		"one that the other lacks":    {func(g map[string]any) { g["consumeTimeoutMinute"] = 7 }, ""},
		"a broker that tells it less": {func(g map[string]any) { delete(g, "notifyConsumerIdsChangedEnable") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			settings := groupSettings("billing", 16)
			c.change(settings)
			a, err := rocketmq.GroupOf("billing", groupSettings("billing", 16))
			require.NoError(t, err)
			b, err := rocketmq.GroupOf("billing", settings)
			require.NoError(t, err)
			isUneven(
				t,
				UnevenGroup("billing", map[string]rocketmq.Group{"a": a, "b": b}, time.Now()),
				"group billing",
				c.fact,
			)
		})
	}
}

func isUneven(t *testing.T, found []api.Finding, object, fact string) {
	t.Helper()
	if fact == "" {
		assert.Empty(t, found)
		return
	}
	require.Len(t, found, 1)
	assert.Equal(t, "settings-differ-between-brokers", found[0].ID)
	assert.Equal(t, api.SeverityWarning, found[0].Level())
	assert.Equal(t, object, found[0].Object)
	assert.Contains(t, found[0].Cause, "the target gets those of broker a")
	require.Len(t, found[0].Evidence, 1)
	assert.Equal(t, fact, found[0].Evidence[0].Fact)
}
