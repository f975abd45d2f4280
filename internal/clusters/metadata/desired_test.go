package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func source(brokers map[string][2]int) map[string]rocketmq.TopicConfig {
	configs := map[string]rocketmq.TopicConfig{}
	for name, queues := range brokers {
		configs[name] = rocketmq.TopicConfig{
			Name:        "orders",
			ReadQueues:  queues[0],
			WriteQueues: queues[1],
			Perm:        6,
			FilterType:  "SINGLE_TAG",
		}
	}
	return configs
}

func TestTargetTopicHasOneLaneForEachSourceQueue(t *testing.T) {
	from := source(map[string][2]int{"a": {4, 4}, "b": {8, 4}, "c": {2, 2}})
	want, found := desiredTopic("orders", from, plan.TypeNormal, true, []string{"x", "y"})
	require.Nil(t, found)
	require.Len(t, want, 2)
	assert.Equal(t, 12, want["x"].ReadQueues, "queues that producers don't see count too")
	assert.Equal(t, 8, want["x"].WriteQueues, "and aren't shown to them there")
	assert.Equal(t, 2, want["y"].WriteQueues, "another broker begins where producers see queues again")
	assert.Empty(t, want["x"].Attributes, "NORMAL is what a topic without the attribute is")
}

// A topic on a broker that is being taken out was made writable there before, and one that is being
// shrunk with all queues to write to: keys went to other queues without a word.
func TestTopicThatTheTargetCanNotShowAlikeIsRefusedIfItIsOrdered(t *testing.T) {
	from := source(map[string][2]int{"a": {4, 4}, "b": {4, 4}})
	leaving := from["a"]
	leaving.Perm = rocketmq.PermRead
	from["a"] = leaving
	_, found := desiredTopic("orders", from, plan.TypeNormal, true, []string{"x"})
	require.NotNil(t, found)
	assert.True(t, found.Refusal)
	assert.Contains(t, found.Cause, "broker a shows them none of its 4 queues (permission 4)")
	assert.Contains(t, found.Next, "at least 2 brokers")

	want, found := desiredTopic("orders", from, plan.TypeNormal, false, []string{"x"})
	assert.Nil(t, found)
	assert.Equal(t, []int{8, 8, 6}, []int{want["x"].ReadQueues, want["x"].WriteQueues, want["x"].Perm},
		"keys of others have no place")

	want, found = desiredTopic("orders", from, plan.TypeNormal, false, []string{"x", "y"})
	assert.Nil(t, found)
	assert.Equal(t, []int{4, 0, 6}, []int{want["x"].ReadQueues, want["x"].WriteQueues, want["x"].Perm})
	assert.Equal(t, []int{4, 4, 6}, []int{want["y"].ReadQueues, want["y"].WriteQueues, want["y"].Perm})
}

func TestQueuesThatNobodyCanReadAreRefused(t *testing.T) {
	_, found := desiredTopic("orders", source(map[string][2]int{"a": {2, 4}}), plan.TypeNormal, false, []string{"x"})
	require.NotNil(t, found)
	assert.Contains(t, found.Cause, "broker a has 4 queues to write to and 2 to read from")
	from := source(map[string][2]int{"a": {4, 4}})
	from["a"] = rocketmq.TopicConfig{ReadQueues: 4, WriteQueues: 4, Perm: rocketmq.PermWrite}
	_, found = desiredTopic("orders", from, plan.TypeNormal, false, []string{"x"})
	require.NotNil(t, found)
	assert.Contains(t, found.Cause, "can't be read on broker a (permission 2)")
}

func TestOrderedTopicStartsReadOnlyWithItsType(t *testing.T) {
	want, found := desiredTopic("orders", source(map[string][2]int{"a": {4, 4}}), plan.TypeFIFO, true, []string{"x"})
	require.Nil(t, found)
	assert.Equal(t, 4, want["x"].Perm)
	assert.Equal(t, 4, want["x"].WriteQueues)
	assert.Equal(t, map[string]string{"message.type": "FIFO"}, want["x"].Attributes)
}

func TestTopicThatExistsIsComparedAndNeverOverwritten(t *testing.T) {
	good := rocketmq.TopicConfig{Name: "orders", ReadQueues: 4, WriteQueues: 4, Perm: 6, FilterType: "SINGLE_TAG"}
	with := func(change func(*rocketmq.TopicConfig)) rocketmq.TopicConfig {
		config := good
		change(&config)
		return config
	}
	for name, c := range map[string]struct {
		have     map[string]rocketmq.TopicConfig
		missing  []string
		conflict string
	}{
		"absent":    {nil, []string{"x", "y"}, ""},
		"half made": {map[string]rocketmq.TopicConfig{"x": good}, []string{"y"}, ""},
		"same":      {map[string]rocketmq.TopicConfig{"x": good, "y": good}, nil, ""},
		"closed for producers": {
			map[string]rocketmq.TopicConfig{"x": good, "y": with(func(c *rocketmq.TopicConfig) { c.Perm = 4 })},
			nil, "permission 4, so that producers see no queue",
		},
		"fewer queues":          {map[string]rocketmq.TopicConfig{"x": with(func(c *rocketmq.TopicConfig) { c.ReadQueues, c.WriteQueues = 2, 2 })}, nil, "2 read and 2 write queues, wanted are 4 and 4"},
		"fewer write queues":    {map[string]rocketmq.TopicConfig{"y": with(func(c *rocketmq.TopicConfig) { c.WriteQueues = 2 })}, nil, "broker y with 4 read and 2 write queues"},
		"on one broker more":    {map[string]rocketmq.TopicConfig{"x": good, "z": good}, nil, "broker z"},
		"not readable":          {map[string]rocketmq.TopicConfig{"x": with(func(c *rocketmq.TopicConfig) { c.Perm = 2 })}, nil, "permission 2"},
		"other type":            {map[string]rocketmq.TopicConfig{"x": with(func(c *rocketmq.TopicConfig) { c.Attributes = map[string]string{"message.type": "DELAY"} })}, nil, "type DELAY, wanted is NORMAL"},
		"type written out":      {map[string]rocketmq.TopicConfig{"x": with(func(c *rocketmq.TopicConfig) { c.Attributes = map[string]string{"message.type": "NORMAL"} })}, []string{"y"}, ""},
		"other unit flag":       {map[string]rocketmq.TopicConfig{"x": with(func(c *rocketmq.TopicConfig) { c.SysFlag = 1 })}, nil, "system flag 1"},
		"conflict hides absent": {map[string]rocketmq.TopicConfig{"y": with(func(c *rocketmq.TopicConfig) { c.Perm = 0 })}, nil, "permission 0"},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]rocketmq.TopicConfig{"x": good, "y": good}
			missing, found := missingTopic("orders", want, c.have)
			if c.conflict == "" {
				assert.Nil(t, found)
				assert.Equal(t, c.missing, missing)
				return
			}
			require.NotNil(t, found, "a conflict")
			assert.True(t, found.Refusal)
			assert.Equal(t, "topic orders", found.Object)
			assert.Contains(t, found.Cause, c.conflict)
			assert.NotEmpty(t, found.Next)
		})
	}
}

// Ordered topics are made closed, and open as their producers move.
func TestOrderedTopicMayBeOpenOrClosed(t *testing.T) {
	closed := rocketmq.TopicConfig{
		Name:        "orders",
		ReadQueues:  4,
		WriteQueues: 2,
		Perm:        rocketmq.PermRead,
		FilterType:  "SINGLE_TAG",
	}
	opened := closed
	opened.Perm = rocketmq.PermRead | rocketmq.PermWrite
	for _, have := range []rocketmq.TopicConfig{closed, opened} {
		assert.Empty(t, topicDifference(closed, have))
	}
	opened.WriteQueues = 4
	assert.Contains(t, topicDifference(closed, opened), "4 read and 4 write queues, wanted are 4 and 2")
}

func TestGroupIsMadeClosedWithAllItsSettings(t *testing.T) {
	from := rocketmq.Group{
		Name:                "billing",
		ConsumeEnable:       true,
		FromMinEnable:       true,
		RetryQueues:         3,
		RetryMaxTimes:       7,
		WhichBrokerWhenSlow: 1,
	}
	want := desiredGroup(map[string]rocketmq.Group{"b": {Name: "billing", RetryQueues: 9}, "a": from})
	assert.False(t, want.ConsumeEnable, "nobody reads before positions are written")
	want.ConsumeEnable = true
	assert.Equal(t, from, want)
}

func TestGroupThatExistsIsComparedWithoutItsFence(t *testing.T) {
	want := rocketmq.Group{Name: "billing", FromMinEnable: true, RetryQueues: 1, RetryMaxTimes: 16}
	opened, other := want, want
	opened.ConsumeEnable = true
	other.RetryMaxTimes = 3
	missing, found := missingGroup("billing", want, map[string]rocketmq.Group{"x": opened}, []string{"x", "y"})
	assert.Nil(t, found, "open groups have moved, and stay open")
	assert.Equal(t, []string{"y"}, missing)
	_, found = missingGroup("billing", want, map[string]rocketmq.Group{"y": other}, []string{"x", "y"})
	require.NotNil(t, found)
	assert.Contains(t, found.Cause, "retryMaxTimes=3, wanted is 16")
}
