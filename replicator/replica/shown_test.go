package replica

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// topicOn is a topic on the brokers named a, b and so on: their read and write queues and
// permission.
func topicOn(brokers ...[3]int) map[string]rocketmq.TopicConfig {
	all := map[string]rocketmq.TopicConfig{}
	for i, b := range brokers {
		all[string(rune('a'+i))] = rocketmq.TopicConfig{ReadQueues: b[0], WriteQueues: b[1], Perm: b[2]}
	}
	return all
}

// stockLists are queues as MQClientInstance.topicRouteData2TopicPublishInfo and
// topicRouteData2TopicSubscribeInfo list them, sorted by MessageQueue.compareTo, which the live
// test compares with a client's own lists.
func stockLists(brokers map[string]rocketmq.TopicConfig) (publish, subscribe []lane.Queue) {
	for broker, t := range brokers {
		if t.Perm&2 != 0 {
			for id := range t.WriteQueues {
				publish = append(publish, lane.Queue{Broker: broker, ID: id})
			}
		}
		if t.Perm&4 != 0 {
			for id := range t.ReadQueues {
				subscribe = append(subscribe, lane.Queue{Broker: broker, ID: id})
			}
		}
	}
	order := func(a, b lane.Queue) int { return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID)) }
	slices.SortFunc(publish, order)
	slices.SortFunc(subscribe, order)
	return publish, subscribe
}

// made is the topic as it is made on these brokers.
func made(shares map[string]Share) map[string]rocketmq.TopicConfig {
	all := map[string]rocketmq.TopicConfig{}
	for broker, s := range shares {
		all[broker] = rocketmq.TopicConfig{ReadQueues: s.Queues, WriteQueues: s.Writable, Perm: 6}
	}
	return all
}

func queuesIn(t *testing.T, brokers map[string]rocketmq.TopicConfig) []lane.Queue {
	t.Helper()
	of := map[string]map[string]rocketmq.TopicConfig{}
	for name, config := range brokers {
		of[name] = map[string]rocketmq.TopicConfig{"t": config}
	}
	queues, err := list(of, "t")
	require.NoError(t, err)
	return queues
}

// Read × write × permission × brokers: wherever a topic can be spread so, each lane has the same
// place in producers' lists of both sides, and in consumers'.
func TestClientsOfBothSidesSeeEachLaneInTheSamePlace(t *testing.T) {
	var shapes [][3]int
	for _, read := range []int{1, 2, 4} {
		for write := range read + 1 {
			for _, permission := range []int{rocketmq.PermRead, rocketmq.PermRead | rocketmq.PermWrite} {
				shapes = append(shapes, [3]int{read, write, permission})
			}
		}
	}
	var sources []map[string]rocketmq.TopicConfig
	for _, a := range shapes {
		sources = append(sources, topicOn(a))
		for _, b := range shapes {
			sources = append(sources, topicOn(a, b))
			for _, c := range shapes {
				sources = append(sources, topicOn(a, b, c))
			}
		}
	}
	possible, impossible := 0, 0
	for _, source := range sources {
		for n := 1; n <= 4; n++ {
			shares, ok := Spread(Writable(source), strings.Split("x y z zz", " ")[:n])
			if !ok {
				impossible++
				require.Less(t, n, len(source), "as many brokers as the source has are always enough: %v", source)
				continue
			}
			possible++
			target := made(shares)
			lanes, err := lane.Pair("t", queuesIn(t, source), queuesIn(t, target))
			require.NoError(t, err, "%v on %d", source, n)
			requireSamePlaces(t, lanes, source, target)
			require.Equal(t, Writable(source), Writable(target), "%v on %d: %v", source, n, shares)
		}
	}
	t.Logf("%d sources: %d spread alike, %d can't be", len(sources), possible, impossible)
	assert.Greater(t, possible, 1000)
	assert.Greater(t, impossible, 1000)
}

func requireSamePlaces(t *testing.T, lanes []lane.Lane, source, target map[string]rocketmq.TopicConfig) {
	t.Helper()
	pair := map[lane.Queue]lane.Queue{}
	for _, lane := range lanes {
		pair[lane.Source] = lane.Target
	}
	sourceWrites, sourceReads := stockLists(source)
	targetWrites, targetReads := stockLists(target)
	for _, list := range [][2][]lane.Queue{{sourceWrites, targetWrites}, {sourceReads, targetReads}} {
		var there []lane.Queue
		for _, q := range list[0] {
			there = append(there, pair[q])
		}
		require.Equal(t, there, list[1], "source %v, target %v", source, target)
	}
}

// What can't be spread so has no other way: every division of its queues among the brokers is
// tried.
func TestWhatIsRefusedCanNotBeMadeAlike(t *testing.T) {
	for _, source := range []map[string]rocketmq.TopicConfig{
		topicOn([3]int{2, 1, 6}, [3]int{2, 2, 6}), topicOn([3]int{2, 2, 4}, [3]int{2, 2, 6}),
		topicOn([3]int{2, 1, 6}, [3]int{2, 1, 6}, [3]int{2, 1, 6}),
		topicOn([3]int{3, 1, 6}, [3]int{1, 1, 4}, [3]int{2, 2, 6}),
		topicOn([3]int{2, 2, 6}, [3]int{2, 0, 6}), topicOn([3]int{2, 2, 6}, [3]int{2, 1, 4}, [3]int{1, 1, 6}),
	} {
		wanted := Writable(source)
		for n := 1; n <= 3; n++ {
			brokers := strings.Split("x y z", " ")[:n]
			_, ok := Spread(wanted, brokers)
			assert.Equal(t, anyLike(wanted, brokers, nil), ok, "%v on %d", source, n)
		}
	}
}

// anyLike tries all numbers of queues on the brokers that are left.
func anyLike(wanted []bool, brokers []string, so map[string]Share) bool {
	if len(brokers) == 0 {
		return slices.Equal(Writable(made(so)), wanted)
	}
	for queues := range len(wanted) + 1 {
		for writable := range queues + 1 {
			next := map[string]Share{brokers[0]: {queues, writable}}
			for broker, share := range so {
				next[broker] = share
			}
			if anyLike(wanted, brokers[1:], next) {
				return true
			}
		}
	}
	return false
}

func TestQueuesSpreadEvenlyWithTheFirstBrokersHavingOneMore(t *testing.T) {
	all := func(n int) Share { return Share{n, n} }
	for name, c := range map[string]struct {
		source  map[string]rocketmq.TopicConfig
		brokers string
		want    map[string]Share
	}{
		"one broker takes all": {topicOn([3]int{8, 8, 6}), "a", map[string]Share{"a": all(8)}},
		"even":                 {topicOn([3]int{8, 8, 6}), "a b", map[string]Share{"a": all(4), "b": all(4)}},
		"first in client order has more": {
			topicOn([3]int{4, 4, 6}, [3]int{3, 3, 6}), "b c a",
			map[string]Share{"a": all(3), "b": all(2), "c": all(2)},
		},
		"fewer queues than brokers": {topicOn([3]int{2, 2, 6}), "a b c", map[string]Share{"a": all(1), "b": all(1)}},
		"nothing to spread":         {topicOn(), "a", map[string]Share{}},
		"shrunk":                    {topicOn([3]int{4, 2, 6}), "x", map[string]Share{"x": {4, 2}}},
		"shrunk, on two":            {topicOn([3]int{4, 2, 6}), "x y", map[string]Share{"x": {2, 2}, "y": {2, 0}}},
		"shrunk on both": {
			topicOn([3]int{4, 2, 6}, [3]int{4, 2, 6}), "x y",
			map[string]Share{"x": {4, 2}, "y": {4, 2}},
		},
		"shrunk on both, on one": {topicOn([3]int{4, 2, 6}, [3]int{4, 2, 6}), "x", nil},
		"last one taken out":     {topicOn([3]int{4, 4, 6}, [3]int{4, 4, 4}), "x", map[string]Share{"x": {8, 4}}},
		"first one taken out": {
			topicOn([3]int{4, 4, 4}, [3]int{4, 4, 6}), "x y",
			map[string]Share{"x": {4, 0}, "y": {4, 4}},
		},
		"first one taken out, on one": {topicOn([3]int{4, 4, 4}, [3]int{4, 4, 6}), "x", nil},
		"the longer part gets more": {
			topicOn([3]int{2, 0, 6}, [3]int{6, 6, 6}), "x y z",
			map[string]Share{"x": {2, 0}, "y": all(3), "z": all(3)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			shares, ok := Spread(Writable(c.source), strings.Fields(c.brokers))
			assert.Equal(t, c.want != nil, ok)
			assert.Equal(t, c.want, shares)
		})
	}
}

func TestHiddenNamesWhatProducersDontSee(t *testing.T) {
	assert.Empty(t, Hidden(topicOn([3]int{4, 4, 6}, [3]int{2, 2, 6})))
	assert.Equal(t, "broker a shows them 2 of its 4 queues, broker b none of its 3 (permission 4)",
		Hidden(topicOn([3]int{4, 2, 6}, [3]int{3, 3, 4}, [3]int{1, 1, 6})))
	assert.Equal(t, "broker a shows them none of its 4 queues", Hidden(topicOn([3]int{4, 0, 6})))
}

func TestUnreadNamesQueuesThatNobodyCanRead(t *testing.T) {
	assert.Empty(t, Unread(topicOn([3]int{4, 4, 6}, [3]int{4, 2, 6})))
	assert.Equal(t, "broker b has 4 queues to write to and 2 to read from",
		Unread(topicOn([3]int{4, 4, 6}, [3]int{2, 4, 6})))
}
