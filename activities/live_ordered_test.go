package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
	"rocketshift/replicator"
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
	both := Some(early, late)
	r.must(traffic, "CloseTopics", TopicsRequest{Request: r.request(), Side: Target, Topics: both}, nil)
	r.fill(early, 5)
	stop := r.keepProducing(r.source, replicator.Queue{Broker: r.brokers(r.source)[0].Name}, late)
	open := func(topic string) bool {
		configs, err := r.target.Client().TopicConfigs(t.Context(), r.brokers(r.target)[0].Addr)
		require.NoError(t, err)
		return configs[topic].Perm == permRead|permWrite
	}
	move := AwaitMoveRequest{Request: r.request(), From: Source, Topics: both}
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
