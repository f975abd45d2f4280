package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// on are so many queues of each broker.
func on(counts map[string]int) (all []lane.Queue) {
	for _, broker := range routing.SortedKeys(counts) {
		for id := range counts[broker] {
			all = append(all, lane.Queue{Broker: broker, ID: id})
		}
	}
	return all
}

func told(lanes []lane.Lane) (all []string) {
	for _, l := range lanes {
		all = append(all, fmt.Sprintf("%s-%s", l.Source, l.Target))
	}
	return all
}

// Queues of retry topics come with the brokers that a group's members connect to: that changes no
// pair, and is no reason not to move the group.
func TestRetryTopicsThatGrowKeepTheirPairs(t *testing.T) {
	type n = map[string]int
	for name, c := range map[string]struct {
		here, there n
		masters     [2][]string
		kept        map[lane.Queue]lane.Queue
		want        []string
	}{
		"one broker each":                       {n{"a": 1}, n{"x": 1}, [2][]string{{"a"}, {"x"}}, nil, []string{"a/0-x/0"}},
		"more on the target":                    {n{"a": 1}, n{"x": 1, "y": 1}, [2][]string{{"a"}, {"x", "y"}}, nil, []string{"a/0-x/0"}},
		"the source's second broker has it":     {n{"a": 1, "b": 1}, n{"x": 1}, [2][]string{{"a", "b"}, {"x"}}, nil, []string{"a/0-x/0"}},
		"and the target has room":               {n{"a": 1, "b": 1}, n{"x": 2}, [2][]string{{"a", "b"}, {"x"}}, nil, []string{"a/0-x/0", "b/0-x/1"}},
		"only the second broker had it":         {n{"b": 1}, n{"x": 2}, [2][]string{{"a", "b"}, {"x"}}, nil, []string{"b/0-x/1"}},
		"the first one gets it":                 {n{"a": 1, "b": 1}, n{"x": 1}, [2][]string{{"a", "b"}, {"x"}}, map[lane.Queue]lane.Queue{{Broker: "b"}: {Broker: "x"}}, []string{"b/0-x/0"}},
		"a broker's grows from one to two":      {n{"a": 2}, n{"x": 1}, [2][]string{{"a"}, {"x"}}, map[lane.Queue]lane.Queue{{Broker: "a"}: {Broker: "x"}}, []string{"a/0-x/0"}},
		"the first of two brokers' grows":       {n{"a": 2, "b": 1}, n{"x": 1, "y": 1}, [2][]string{{"a", "b"}, {"x", "y"}}, map[lane.Queue]lane.Queue{{Broker: "a"}: {Broker: "x"}, {Broker: "b"}: {Broker: "y"}}, []string{"a/0-x/0", "b/0-y/0"}},
		"none is taken for a queue that's gone": {n{"a": 2}, n{"x": 1}, [2][]string{{"a"}, {"x"}}, map[lane.Queue]lane.Queue{{Broker: "a", ID: 1}: {Broker: "x", ID: 7}}, []string{"a/0-x/0"}},
		"the target lacks it":                   {n{"a": 1}, nil, [2][]string{{"a"}, {"x"}}, nil, nil},
	} {
		lanes, err := replicas.LanesOf("%RETRY%billing", on(c.here), on(c.there), c.masters, c.kept)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, told(lanes), name)
	}
	_, err := replicas.LanesOf("orders", on(n{"a": 2}), on(n{"x": 1}), [2][]string{{"a"}, {"x"}}, nil)
	require.ErrorContains(t, err, "can't be paired", "others must be alike")
}

// By another lane the offsets of a group on the target would mean other messages.
func TestQueuesInUseKeepTheirLanes(t *testing.T) {
	g, queues := sharedTopic(t)
	orders := g.table.Topics.Get([]byte("orders"))
	other := []lane.Lane{{Topic: "orders", Source: lane.Queue{Broker: "a"}, Target: lane.Queue{Broker: "y", ID: 9}}}
	was := *queues[0].Lane()
	v := g.table.Groups.Get([]byte("billing")).Of(queues[0])
	v.Set(routing.ViewState{Side: routing.Target})
	orders.Pair(other, "", g.table.InUse)
	assert.Equal(t, was, *queues[0].Lane())
	assert.Contains(t, orders.Reason(), "bring its home and its groups back to the source first")
	v.Set(routing.ViewState{Side: routing.Source})
	queues[0].SetHome(routing.Target, queues[0].Shift())
	orders.Pair(other, "", g.table.InUse)
	assert.Equal(t, was, *queues[0].Lane())
	queues[0].SetHome(routing.Source, queues[0].Shift())
	orders.Pair(other, "", g.table.InUse)
	assert.Equal(t, other[0], *queues[0].Lane())
	assert.Empty(t, orders.Reason())
}

// A retry queue that the target has no pair of stays where it is when its group moves, for this
// gateway and for others.
func TestARetryQueueWithoutAPairStaysBehind(t *testing.T) {
	two := newTwoSides(t)
	retry := rocketmq.RetryTopic("billing")
	two.table.Topics.Ensure(retry).Ensure("broker-a", 2)
	all := two.table.Topics.Get([]byte(retry)).All()
	two.table.Topics.Get([]byte(retry)).
		Pair([]lane.Lane{{Topic: retry, Source: lane.Queue{Broker: "broker-a"}, Target: lane.Queue{Broker: "broker-t"}}}, "", nil)
	one := two.table.Groups.Get([]byte("billing"))
	views, err := two.viewsOf(t.Context(), "billing", routing.Target)
	require.NoError(t, err)
	require.Equal(t, []*routing.View{one.Of(all[0])}, views)
	r := store.Round{Kind: control.KindSide, To: "target", Group: "billing"}
	_, known, err := two.prepareViews(r, routing.Target)
	require.NoError(t, err)
	require.Len(t, known.Views, 1)
	require.Equal(t, "broker-a/0", known.Views[0].Queue.String())
	assert.False(t, stops(one.Of(all[1])), "its pulls go on")

	parts, _, behind, err := two.table.OnTarget(
		[]bodies.JsonQueue{{Topic: retry, Broker: "broker-a", ID: 0}, {Topic: retry, Broker: "broker-a", ID: 1}},
	)
	require.NoError(t, err)
	assert.Equal(t, []bodies.JsonQueue{{Topic: retry, Broker: "broker-t", ID: 0}}, parts["broker-t"])
	assert.Equal(t, []bodies.JsonQueue{{Topic: retry, Broker: "broker-a", ID: 1}}, behind, "its lock is the source's")
}

// What can't be paired any more doesn't hold up the way back.
func TestTheWayBackNeedsNoNewPairs(t *testing.T) {
	two := newTwoSides(t)
	orders := two.table.Topics.Get([]byte("orders"))
	orders.Pair(nil, "topic orders: the source has 3 queues and the target 2", nil)
	two.table.Groups.Get([]byte("billing")).Of(orders.All()[0])
	_, err := two.viewsOf(t.Context(), "billing", routing.Target)
	require.ErrorContains(t, err, "the source has 3 queues")
	views, err := two.viewsOf(t.Context(), "billing", routing.Source)
	require.NoError(t, err)
	assert.Len(t, views, 2)
	orders.Since = time.Now().Add(-lossTime)
	home := control.Move{Topics: []string{"orders"}, To: "target"}
	_, err = two.queuesOf(home)
	require.ErrorContains(t, err, "the source has 3 queues")
	home.To = "source"
	queues, err := two.queuesOf(home)
	require.NoError(t, err)
	assert.Len(t, queues, 2)
}

// Gateways and lanes pair the same queues, whatever brokers show clients of them; that changes
// while homes are on either side.
func TestGatewaysPairQueuesThatProducersDoNotSeeAsLanesDo(t *testing.T) {
	shown := func(brokers map[string][3]int) replicas.Layout {
		all := map[string]map[string]rocketmq.TopicConfig{}
		for broker, b := range brokers {
			all[broker] = map[string]rocketmq.TopicConfig{"orders": {ReadQueues: b[0], WriteQueues: b[1], Perm: b[2]}}
		}
		return replicas.Lay(all, routing.MostQueues)
	}
	want := []string{"a/0-x/0", "a/1-x/1", "b/0-y/0", "b/1-y/1"}
	for _, source := range []map[string][3]int{
		{
			"a": {2, 2, 6}, "b": {2, 2, 6},
		}, {"a": {2, 1, 6}, "b": {2, 2, 6}}, {
			"a": {2, 2, 4},
			"b": {2, 2, 6},
		}, {
			"a": {2, 0, 6}, "b": {2, 1, 4},
		},
	} {
		for _, target := range []map[string][3]int{{"x": {2, 2, 6}, "y": {2, 2, 4}}, {"x": {2, 1, 6}, "y": {2, 0, 6}}} {
			here, there := shown(source).Queues["orders"], shown(target).Queues["orders"]
			lanes, err := replicas.LanesOf("orders", here, there, [2][]string{{"a", "b"}, {"x", "y"}}, nil)
			require.NoError(t, err)
			assert.Equal(t, want, told(lanes), "source %v, target %v", source, target)
			ofLanes, err := lane.Pair("orders", here, there)
			require.NoError(t, err)
			assert.Equal(t, ofLanes, lanes)
		}
	}
}
