package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
)

func TestTargetBrokersThatHideQueuesAreConflicts(t *testing.T) {
	assert.Empty(t, closedBroker("x", map[string]string{"brokerPermission": "6"}))
	assert.Empty(t, closedBroker("x", nil))
	found := closedBroker("x", map[string]string{"brokerPermission": "4"})
	require.Len(t, found, 1)
	assert.True(t, found[0].Refusal)
	assert.Contains(t, found[0].Cause, "brokerPermission=4")
}

// While lanes run, pairs stay as they are; that producers see others is told.
func TestAViewThatChangesWhileLanesRunIsTold(t *testing.T) {
	on := func(brokers map[string][3]int) map[string]rocketmq.TopicConfig {
		all := map[string]rocketmq.TopicConfig{}
		for name, b := range brokers {
			all[name] = rocketmq.TopicConfig{ReadQueues: b[0], WriteQueues: b[1], Perm: b[2]}
		}
		return all
	}
	for name, c := range map[string]struct {
		source, target map[string][3]int
		want           string
	}{
		"whole":                     {map[string][3]int{"a": {4, 4, 6}}, map[string][3]int{"x": {4, 4, 6}}, ""},
		"closed until producers go": {map[string][3]int{"a": {4, 4, 6}}, map[string][3]int{"x": {4, 4, 4}}, ""},
		"shrunk on both":            {map[string][3]int{"a": {4, 2, 6}}, map[string][3]int{"x": {4, 2, 6}}, ""},
		"shrunk later": {
			map[string][3]int{"a": {4, 2, 6}},
			map[string][3]int{"x": {4, 4, 6}},
			"source broker a shows them 2 of its 4 queues",
		},
		"whole again": {
			map[string][3]int{"a": {4, 4, 6}},
			map[string][3]int{"x": {4, 2, 6}},
			"target broker x shows them 2 of its 4 queues",
		},
		"it can't be shown on one": {
			map[string][3]int{"a": {4, 2, 6}, "b": {4, 2, 6}},
			map[string][3]int{"x": {8, 8, 6}},
			"",
		},
		"what can be on two brokers": {
			map[string][3]int{"a": {4, 2, 6}, "b": {4, 2, 6}},
			map[string][3]int{"x": {4, 4, 6}, "y": {4, 4, 6}},
			"source broker a shows them 2 of its 4 queues, broker b 2 of its 4",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := clusters.Layout{
				SourceTopics: clusters.TopicTable{"t": on(c.source)},
				TargetTopics: clusters.TopicTable{"t": on(c.target)},
			}
			for broker := range c.target {
				l.TargetBrokers = append(l.TargetBrokers, rocketmq.Broker{Name: broker})
			}
			lanes, err := l.Lanes("t")
			require.NoError(t, err)
			assert.Len(t, lanes, len(l.SourceTopics.Queues("t")))
			if err = seenAlike(l, "t"); c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.want)
			}
		})
	}
}

func TestGrownTopicsShowProducersWhatTheSourceDoes(t *testing.T) {
	l := clusters.Layout{
		SourceTopics:  clusters.TopicTable{"t": {"a": {ReadQueues: 8, WriteQueues: 4, Perm: 6}}},
		TargetBrokers: []rocketmq.Broker{{Name: "x"}, {Name: "y"}},
	}
	shares, err := laid(l, "t", clusters.Counts{"x": 2, "y": 6})
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2, 6, 2},
		[]int{shares["x"].Queues, shares["x"].Writable, shares["y"].Queues, shares["y"].Writable})
	l.SourceTopics["t"]["b"] = rocketmq.TopicConfig{ReadQueues: 1, WriteQueues: 1, Perm: 6}
	_, err = laid(l, "t", clusters.Counts{"x": 2, "y": 7})
	require.ErrorContains(t, err, "broker a shows them 4 of its 8 queues")
	l.TargetBrokers = l.TargetBrokers[:1]
	shares, err = laid(l, "t", clusters.Counts{"x": 9})
	require.NoError(t, err)
	assert.Equal(t, 9, shares["x"].Writable, "as it was made, since it can't be otherwise")
}

// Behind a proxy, what the target has is compared by what clients see, wherever the queues are.
func TestTopicsBehindAProxyAreComparedByWhatClientsSee(t *testing.T) {
	on := func(b ...[3]int) map[string]rocketmq.TopicConfig {
		all := map[string]rocketmq.TopicConfig{}
		for i, s := range b {
			all[string(rune('a'+i))] = rocketmq.TopicConfig{ReadQueues: s[0], WriteQueues: s[1], Perm: s[2]}
		}
		return all
	}
	whole, shrunk := on([3]int{4, 4, 6}), on([3]int{4, 2, 6})
	for name, c := range map[string]struct {
		source, target map[string]rocketmq.TopicConfig
		ordered, free  string
	}{
		"the same":             {whole, on([3]int{1, 1, 6}, [3]int{3, 3, 6}), "", ""},
		"fewer":                {whole, on([3]int{3, 3, 6}), "has 3 queues", "has 3 queues"},
		"consumers see fewer":  {whole, on([3]int{2, 4, 6}), "to read from", "to read from"},
		"producers see fewer":  {whole, shrunk, "target broker a shows them 2", ""},
		"producers see others": {shrunk, whole, "source broker a shows them 2", ""},
		"producers see as many": {
			on([3]int{4, 2, 6}, [3]int{2, 2, 6}), on([3]int{6, 4, 6}), "producers see other queues",
			"",
		},
		"shrunk on both": {shrunk, on([3]int{1, 1, 6}, [3]int{3, 1, 6}), "", ""},
		"closed":         {whole, on([3]int{4, 4, 4}), "(permission 4)", "(permission 4)"},
		"closed on both": {on([3]int{4, 0, 6}), on([3]int{4, 4, 4}), "", ""},
	} {
		for ordered, want := range map[bool]string{true: c.ordered, false: c.free} {
			if got := otherwise(c.source, c.target, ordered); want == "" {
				assert.Empty(t, got, "%s, ordered %t", name, ordered)
			} else {
				assert.Contains(t, got, want, "%s, ordered %t", name, ordered)
			}
		}
	}
}
