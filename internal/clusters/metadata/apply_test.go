package metadata

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// sourceOf is a source of two brokers with so many topics and groups, and an order configuration.
func sourceOf(n int) (*fakeSide, Wanted) {
	source := newFakeSide("4.9.7", "a", "b")
	w := Wanted{Types: map[string]plan.MessageType{}, Ordered: map[string]bool{}, KV: true}
	for i := range n {
		topic, group := fmt.Sprintf("t%04d", i), fmt.Sprintf("g%04d", i)
		w.Topics, w.Groups = append(w.Topics, topic), append(w.Groups, group)
		for _, b := range source.brokers {
			b.topics[topic] = topicOf(map[string]string{
				"topic": topic, "readQueueNums": "2", "writeQueueNums": "2", "perm": "6", "topicFilterType": "SINGLE_TAG",
			})
			b.groups[group] = groupSettings(group, i%5)
		}
	}
	w.Ordered["t0001"], w.Types["t0001"] = true, plan.TypeFIFO
	source.kv[rocketmq.OrderNamespace] = map[string]string{"t0000": "a:2;b:1", "t0001": "a:2;b:2", "other": "a:1"}
	source.kv["APP"] = map[string]string{"k": "v"}
	return source, w
}

func groupSettings(name string, retries int) map[string]any {
	return map[string]any{
		"groupName": name, "consumeEnable": true, "consumeFromMinEnable": true, "consumeBroadcastEnable": true,
		"retryQueueNums": 1, "retryMaxTimes": retries, "brokerId": 0, "whichBrokerWhenConsumeSlowly": 1,
		"notifyConsumerIdsChangedEnable": true,
	}
}

func testPlan(decide plan.Decision) plan.Plan {
	return plan.Plan{
		Name: "apply", Metadata: plan.Metadata{Conflicts: decide, KV: []string{"APP"}},
		Topics: plan.TopicSelection{Selection: plan.Selection{Include: []string{"t*"}}},
	}.WithDefaults()
}

func applied(t testing.TB, p plan.Plan, source, target *fakeSide, w Wanted) (*Chunk, error) {
	both := bothOf(t, p, source, target)
	defer func() { // what was sent is done, or not, when this returns: other calls are under way when one is cut off
		for of, side := range map[*clusters.One]*fakeSide{both.Source: source, both.Target: target} {
			of.Client().Close()
			side.serving.Wait()
		}
	}()
	return Apply(t.Context(), both, w,
		func(api.ApplyProgress) {})
}

// halfMade is a target as a person left it: a topic with too few queues and one without
// permission, and a group with other settings, which has one of its own besides.
func halfMade(lists bool) *fakeSide {
	target := newFakeSide("5.3.3", "x", "y")
	target.lists = lists
	target.brokers["x"].put(topicOf(map[string]string{
		"topic": "t0002", "readQueueNums": "1", "writeQueueNums": "1", "perm": "6", "topicFilterType": "SINGLE_TAG",
	}))
	target.brokers["y"].put(topicOf(map[string]string{
		"topic": "t0003", "readQueueNums": "2", "writeQueueNums": "2", "perm": "4", "topicFilterType": "SINGLE_TAG",
	}))
	other := groupSettings("g0002", 16)
	other["consumeMessageOrderly"], other["consumeTimeoutMinute"] = true, 7
	target.brokers["x"].groups["g0002"] = other
	return target
}

func TestWhatIsAppliedIsAsWantedAndASecondRunChangesNothing(t *testing.T) {
	for _, lists := range []bool{true, false} {
		source, w := sourceOf(12)
		target := halfMade(lists)
		done, err := applied(t, testPlan(plan.DecisionChange), source, target, w)
		require.NoError(t, err)
		assert.Len(t, done.ChangedTopics, 2)
		assert.Len(t, done.ChangedGroups, 1)
		assert.Len(t, done.MissingTopics, 12, "10, and two on the other broker")
		assert.Equal(t, map[string]string{"t0000": "x:2;y:1"}, target.kv[rocketmq.OrderNamespace],
			"in the target's names; that of the ordered topic comes when it is opened")
		assert.Equal(t, map[string]string{"k": "v"}, target.kv["APP"])
		assert.EqualValues(t, 4, target.brokers["x"].topics["t0001"]["perm"], "an ordered topic is closed")
		assert.EqualValues(t, 6, target.brokers["y"].topics["t0003"]["perm"])
		assert.EqualValues(t, 2, target.brokers["x"].topics["t0002"]["readQueueNums"])
		changed := target.brokers["x"].groups["g0002"]
		assert.Equal(
			t,
			[]any{2.0, 7.0, true, true},
			[]any{
				changed["retryMaxTimes"],
				changed["consumeTimeoutMinute"],
				changed["consumeMessageOrderly"],
				changed["consumeEnable"],
			},
			"what the source doesn't know stays, and it is as open as it was",
		)
		if lists {
			assert.Zero(t, target.singles, "all by lists")
		}
		before, writes := target.state(t), target.writes
		again, err := applied(t, testPlan(plan.DecisionChange), source, target, w)
		require.NoError(t, err)
		assert.Equal(t, 24, again.Same)
		assert.Equal(t, writes, target.writes, "an identical second run writes nothing")
		assert.JSONEq(t, before, target.state(t))
	}
}

// The worker is killed at every call there is: before the server has it, or before its answer comes
// back. The same command goes on.
func TestWhereverItIsCutOffTheSameCommandGoesOn(t *testing.T) {
	for _, lists := range []bool{true, false} {
		source, w := sourceOf(6)
		whole := halfMade(lists)
		_, err := applied(t, testPlan(plan.DecisionChange), source, whole, w)
		require.NoError(t, err)
		for _, side := range []api.Side{api.Source, api.Target} {
			for _, late := range []bool{false, true} {
				cuts := 0
				for at := 1; ; at++ {
					source, w := sourceOf(6)
					target := halfMade(lists)
					cut := source
					if side == api.Target {
						cut = target
					}
					cut.cutAt, cut.late = at, late
					_, err := applied(t, testPlan(plan.DecisionChange), source, target, w)
					reached := cut.calls >= at
					cut.cutAt = 0
					if !reached {
						require.NoError(t, err)
						break
					}
					cuts++
					_, err = applied(t, testPlan(plan.DecisionChange), source, target, w)
					require.NoError(t, err, "%s, call %d, late %v", side, at, late)
					require.JSONEq(t, whole.state(t), target.state(t), "%s, call %d, late %v", side, at, late)
					writes := target.writes
					_, err = applied(t, testPlan(plan.DecisionChange), source, target, w)
					require.NoError(t, err)
					require.Equal(t, writes, target.writes, "%s, call %d, late %v: nothing is left", side, at, late)
				}
				t.Logf("lists %v, %s, late %v: cut off at each of %d calls", lists, side, late, cuts)
				require.Greater(t, cuts, 5)
			}
		}
	}
}

func TestWithoutADecisionNothingIsChanged(t *testing.T) {
	source, w := sourceOf(6)
	target := halfMade(true)
	before := target.state(t)
	_, err := applied(t, testPlan(""), source, target, w)
	require.ErrorContains(t, err, "3 conflicts")
	require.ErrorContains(t, err, "keep or change")
	assert.JSONEq(t, before, target.state(t))
}

func TestWhatIsKeptStaysAndIsTold(t *testing.T) {
	source, w := sourceOf(6)
	target := halfMade(true)
	p := testPlan(plan.DecisionKeep)
	_, err := applied(t, p, source, target, w)
	var known *fault.Error
	require.ErrorAs(t, err, &known)
	assert.Contains(t, err.Error(), "can't be kept: lanes pair queues one to one", "topics with other queues")
	p.Metadata.Topics = map[string]plan.Decision{"t0002": plan.DecisionChange, "t0003": plan.DecisionChange}
	both := bothOf(t, p, source, target)
	o, err := Compare(t.Context(), both, w)
	require.NoError(t, err)
	assert.Empty(t, o.Conflicts)
	require.Len(t, o.Kept, 1)
	assert.Equal(t, "group g0002", o.Kept[0].Object)
	assert.Contains(t, o.Kept[0].Cause, "retryMaxTimes=16, wanted is 2: it is kept")
	assert.Empty(t, o.ChangedGroups)
}

func TestWhatWouldHarmIsRefusedThoughThePlanDecidesToChangeIt(t *testing.T) {
	topic := func(fields map[string]string) map[string]any {
		all := map[string]string{
			"topic": "t0000", "readQueueNums": "2", "writeQueueNums": "2", "perm": "6", "topicFilterType": "SINGLE_TAG",
		}
		for k, v := range fields {
			all[k] = v
		}
		return topicOf(all)
	}
	for says, have := range map[string]map[string]any{
		"it has more queues on x, whose messages nobody would see":       topic(map[string]string{"readQueueNums": "8"}),
		"messages of type DELAY lie in it on x":                          topic(map[string]string{"attributes": "+message.type=DELAY"}),
		"rocketshift deletes nothing: delete it on z if nobody needs it": nil,
	} {
		source, w := sourceOf(1)
		target := newFakeSide("5.3.3", "x", "y", "z")
		w.Types["t0000"], w.Ordered = plan.TypeNormal, nil
		source.kv = nil
		source.brokers["a"].topics["t0000"]["writeQueueNums"] = 2
		if have == nil {
			source.brokers["b"].topics = map[string]map[string]any{} // two queues for three brokers
			target.brokers["z"].put(topic(nil))
		} else {
			target.brokers["x"].put(have)
			target.brokers["y"].put(topic(nil))
			target.brokers["x"].ends["t0000"] = 3
		}
		_, err := applied(t, testPlan(plan.DecisionChange), source, target, w)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "can't be changed")
	}
}

func TestAnEmptyTopicGetsAnotherType(t *testing.T) {
	source, w := sourceOf(1)
	target := newFakeSide("5.3.3", "x", "y")
	target.brokers["x"].put(topicOf(map[string]string{
		"topic": "t0000", "readQueueNums": "2", "writeQueueNums": "2", "perm": "6", "topicFilterType": "SINGLE_TAG",
		"attributes": "+message.type=DELAY",
	}))
	_, err := applied(t, testPlan(plan.DecisionChange), source, target, w)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"message.type": "NORMAL"}, target.brokers["x"].topics["t0000"]["attributes"])
}

func TestTheProgressHasTheTimeLeft(t *testing.T) {
	source, w := sourceOf(9)
	target := newFakeSide("5.2.0", "x")
	target.lists = false
	both := bothOf(t, testPlan(""), source, target)
	var told []api.ApplyProgress
	_, err := Apply(t.Context(), both, w,
		func(p api.ApplyProgress) { told = append(told, p) })
	require.NoError(t, err)
	require.Len(t, told, 20, "9 topics, 9 groups, 2 keys")
	for i, p := range told {
		assert.Equal(t, i+1, p.Done)
		assert.Equal(t, 20, p.Total)
	}
}

func TestAnOrderConfigurationShowsTheSameQueuesOnTheTarget(t *testing.T) {
	table := func(counts clusters.Counts) clusters.TopicTable {
		all := clusters.TopicTable{"t": {}}
		for broker, n := range counts {
			all["t"][broker] = rocketmq.TopicConfig{ReadQueues: n, WriteQueues: n, Perm: 6}
		}
		return all
	}
	source := clusters.Counts{"a": 4, "b": 4}
	for _, test := range []struct {
		target clusters.Counts
		config string
		want   string
		fails  string
	}{
		{clusters.Counts{"x": 4, "y": 4}, "a:4;b:4", "x:4;y:4", ""},
		{clusters.Counts{"x": 8}, "a:4;b:4", "x:8", ""},
		{clusters.Counts{"x": 8}, "a:3", "x:3", ""},
		{clusters.Counts{"x": 4, "y": 4}, "b:2", "y:2", ""},
		{clusters.Counts{"x": 8}, "b:2", "", "queue 4 of x and not queue 0"},
		{clusters.Counts{"x": 8}, "a:2;b:2", "", "queue 4 of x and not queue 2"},
		{clusters.Counts{"x": 4}, "a:4", "", "queues"},
		{clusters.Counts{"x": 8}, "a:5", "", "no queue a/4"},
		{clusters.Counts{"x": 8}, "a:many", "", "no broker with its number of queues"},
		{clusters.Counts{"x": 8}, "a:999999999999", "", "no broker with its number of queues"},
	} {
		got, err := translateOrder("t", test.config, table(source), table(test.target))
		if test.fails != "" {
			assert.ErrorContains(t, err, test.fails, "%+v", test)
			continue
		}
		require.NoError(t, err, "%+v", test)
		assert.Equal(t, test.want, got)
	}
}

func TestTheOrderConfigurationOfAnOrderedTopicComesAndGoesWithItsPermission(t *testing.T) {
	source, w := sourceOf(3)
	target := newFakeSide("5.3.3", "x", "y")
	p := testPlan("")
	_, err := applied(t, p, source, target, w)
	require.NoError(t, err)
	both := bothOf(t, p, source, target)
	require.NoError(t, ShowOrder(context.Background(), both, []string{"t0001", "t0002"}))
	assert.Equal(t, map[string]string{"t0000": "x:2;y:1", "t0001": "x:2;y:2"}, target.kv[rocketmq.OrderNamespace])
	require.NoError(t, HideOrder(context.Background(), both.Target, p.Target.Topic, []string{"t0001", "t0002"}))
	assert.Equal(t, map[string]string{"t0000": "x:2;y:1"}, target.kv[rocketmq.OrderNamespace])
}

func TestGroupsWhoseMembersReadInOrderAreMadeOrderly(t *testing.T) {
	source, w := sourceOf(4)
	w.Orderly = map[string]bool{"g0001": true, "g0002": true}
	target := newFakeSide("5.3.3", "x", "y")
	target.brokers["x"].groups["g0002"] = groupSettings("g0002", 2) // somebody made it, and not orderly
	_, err := applied(t, testPlan(""), source, target, w)
	require.NoError(t, err)
	for _, broker := range []string{"x", "y"} {
		of := target.brokers[broker].groups
		assert.Equal(t, true, of["g0001"]["consumeMessageOrderly"])
		assert.Nil(t, of["g0000"]["consumeMessageOrderly"])
		assert.Nil(t, of["g0002"]["consumeMessageOrderly"], "as the target has it already")
	}
	again, err := applied(t, testPlan(""), source, target, w)
	require.NoError(t, err)
	assert.Equal(t, 8, again.Same)

	change(source, func(b *fakeBroker) { b.groups["g0001"]["consumeMessageOrderly"] = false })
	target = newFakeSide("5.3.3", "x")
	_, err = applied(t, testPlan(""), source, target, w)
	require.NoError(t, err)
	assert.Equal(t, false, target.brokers["x"].groups["g0001"]["consumeMessageOrderly"], "a source of 5.x says so itself")

	old := newFakeSide("4.9.7", "x")
	source, w = sourceOf(2)
	w.Orderly = map[string]bool{"g0001": true}
	_, err = applied(t, testPlan(""), source, old, w)
	require.NoError(t, err)
	assert.Nil(t, old.brokers["x"].groups["g0001"]["consumeMessageOrderly"], "4.x doesn't know it")
}
