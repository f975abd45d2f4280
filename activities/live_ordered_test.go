package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Ordered topics that are asked for together open one by one: a producer that moved early doesn't
// wait for one that still writes on the source.
func TestLiveEachOrderedTopicOpensWhenItsProducersHaveMoved(t *testing.T) {
	r := newRig(t, "opens")
	early, late := r.topic("early", 1), r.topic("late", 1)
	types := map[string]plan.MessageType{early: plan.TypeFIFO, late: plan.TypeFIFO}
	r.importAll([]string{early, late}, nil, types, early, late)
	r.replicate()
	r.plan.Shift.Settle = plan.Duration(time.Second)
	traffic := NewTraffic(r.settings)
	both := api.Some(early, late)
	r.must(traffic, "CloseTopics", TopicsRequest{Request: r.request(), Side: api.Target, Topics: both}, nil)
	r.fill(early, 5)
	stop := r.keepProducing(r.source, lane.Queue{Broker: r.brokers(r.source)[0].Name}, late)
	open := func(topic string) bool {
		configs, err := r.target.Client().TopicConfigs(t.Context(), r.brokers(r.target)[0].Addr)
		require.NoError(t, err)
		return configs[topic].Perm == rocketmq.PermRead|rocketmq.PermWrite
	}
	move := AwaitMoveRequest{Request: r.request(), From: api.Source, Topics: both}
	var beat any
	r.eventually("the early one opens, and the late one is waited for", func() bool {
		err := askAgain(t, traffic, "MoveOrdered", move, nil, &beat)
		require.Equal(t, NotReadyType, typeOf(err), "%v", err)
		assert.ErrorContains(t, err, late)
		return open(early)
	})
	assert.False(t, open(late), "its producers still write on the source")
	stop()
	r.must(traffic, "MoveOrdered", move, nil)
	assert.True(t, open(late))
	r.must(traffic, "MoveOrdered", move, nil) // a repeated one has nothing to do
	var survey Survey
	r.must(NewReturns(r.settings), "Survey", SurveyRequest{Request: r.request(), ByMark: true, Noted: true}, &survey)
	assert.Equal(t, []string{early, late}, survey.MovedTopics.First(), "who left the source is on record there")
}

// Waits for producers of ordered topics are looks alone. What a look saw spares the move the settle
// time, and doesn't decide: producers may have come back.
func TestLiveALookAtOrderedTopicsOpensNoneAndSparesTheMoveTheSettleTime(t *testing.T) {
	r := newRig(t, "looks")
	early, late := r.topic("early", 1), r.topic("late", 1)
	types := map[string]plan.MessageType{early: plan.TypeFIFO, late: plan.TypeFIFO}
	r.importAll([]string{early, late}, nil, types, early, late)
	r.replicate()
	r.plan.Shift.Settle = plan.Duration(time.Second)
	traffic := NewTraffic(r.settings)
	both := api.Some(early, late)
	closing := TopicsRequest{Request: r.request(), Side: api.Target, Topics: both}
	r.must(traffic, "CloseTopics", closing, nil)
	r.fill(early, 5)
	at := lane.Queue{Broker: r.brokers(r.source)[0].Name}
	stopEarly, stopLate := r.keepProducing(r.source, at, early), r.keepProducing(r.source, at, late)
	defer stopLate()
	look := AwaitMoveRequest{Request: r.request(), From: api.Source, Topics: both}
	var beat any
	err := askAgain(t, traffic, "AwaitOrdered", look, nil, &beat)
	require.Equal(t, NotReadyType, typeOf(err), "both write: %v", err)

	move := look
	move.Stay = time.Nanosecond // one look
	left := func() int {
		var left OrderedMove
		require.NoError(t, askAgain(t, traffic, "MoveOrdered", move, &left, new(any)))
		return left.Waiting
	}
	stopEarly()
	var quiet Quiet
	r.must(traffic, "AwaitOrdered", look, &quiet)
	assert.Contains(t, quiet.Stood, early)
	assert.NotContains(t, quiet.Stood, late)
	assert.Equal(t, 2, left(), "who hasn't seen them leave waits for the settle time")
	move.Stood = quiet.Stood
	r.fill(early, 1)
	assert.Equal(t, 2, left(), "they have come back")

	r.must(traffic, "AwaitOrdered", look, &quiet)
	move.Stood = quiet.Stood
	r.eventually("the early one opens, as soon as its last message was copied", func() bool {
		var left OrderedMove
		err := askAgain(t, traffic, "MoveOrdered", move, &left, new(any))
		return err == nil && left.Waiting == 1
	})
}
