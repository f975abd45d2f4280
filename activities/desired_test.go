package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func TestQueuesSpreadEvenlyWithTheFirstBrokersHavingOneMore(t *testing.T) {
	for name, c := range map[string]struct {
		queues  int
		brokers []string
		want    map[string]int
	}{
		"one broker takes all":           {8, []string{"a"}, map[string]int{"a": 8}},
		"even":                           {8, []string{"a", "b"}, map[string]int{"a": 4, "b": 4}},
		"first in client order has more": {7, []string{"b", "c", "a"}, map[string]int{"a": 3, "b": 2, "c": 2}},
		"fewer queues than brokers":      {2, []string{"a", "b", "c"}, map[string]int{"a": 1, "b": 1}},
		"nothing to spread":              {0, []string{"a"}, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, spread(c.queues, c.brokers)) })
	}
}

func source(brokers map[string][2]int) map[string]rocketmq.TopicConfig {
	configs := map[string]rocketmq.TopicConfig{}
	for name, queues := range brokers {
		configs[name] = rocketmq.TopicConfig{Name: "orders", ReadQueues: queues[0], WriteQueues: queues[1], Perm: 6, FilterType: "SINGLE_TAG"}
	}
	return configs
}

func TestTargetTopicHasOneLaneForEachSourceQueue(t *testing.T) {
	from := source(map[string][2]int{"a": {4, 4}, "b": {8, 4}, "c": {2, 3}})
	want := desiredTopic("orders", from, plan.TypeNormal, false, []string{"x", "y"})
	require.Len(t, want, 2)
	assert.Equal(t, 8, want["x"].ReadQueues, "read-only and write-only queues count too")
	assert.Equal(t, 7, want["y"].WriteQueues)
	assert.Equal(t, 6, want["x"].Perm)
	assert.Empty(t, want["x"].Attributes, "NORMAL is what a topic without the attribute is")
}

func TestOrderedTopicStartsReadOnlyWithItsType(t *testing.T) {
	want := desiredTopic("orders", source(map[string][2]int{"a": {4, 4}}), plan.TypeFIFO, true, []string{"x"})
	assert.Equal(t, 4, want["x"].Perm)
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
		"absent":                {nil, []string{"x", "y"}, ""},
		"half made":             {map[string]rocketmq.TopicConfig{"x": good}, []string{"y"}, ""},
		"same":                  {map[string]rocketmq.TopicConfig{"x": good, "y": good}, nil, ""},
		"closed for producers":  {map[string]rocketmq.TopicConfig{"x": good, "y": with(func(c *rocketmq.TopicConfig) { c.Perm = 4 })}, nil, ""},
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

func TestGroupIsMadeClosedWithAllItsSettings(t *testing.T) {
	from := rocketmq.Group{Name: "billing", ConsumeEnable: true, FromMinEnable: true, RetryQueues: 3, RetryMaxTimes: 7, WhichBrokerWhenSlow: 1}
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
