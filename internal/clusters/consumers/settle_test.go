package consumers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func TestGroupSettlesOnlyWhenNothingCanMoveItsPositions(t *testing.T) {
	const settle = 6 * time.Second
	for name, c := range map[string]struct {
		work  work
		stood time.Duration
		open  string // part of the reason; empty means settled
	}{
		"members hold nothing and have committed": {work{}, FenceMargin, ""},
		"the same, but a write may be under way":  {work{}, FenceMargin - time.Millisecond, "standing for"},
		"a member holds messages, however long": {work{held: 3, worst: "orders a/1"}, time.Hour, "hold 3 " +
			"messages, most in orders a/1"},
		"a member isn't committed": {work{behind: "orders a/1"}, FenceMargin, "not committed " +
			"yet: orders a/1"},
		"a member never commits what it claims":    {work{behind: "orders a/1"}, settle, ""},
		"nobody to ask, positions stand too short": {work{silent: 1}, settle - time.Millisecond, "wanted are 6s"},
		"nobody to ask, positions stand":           {work{silent: 1}, settle, ""},
	} {
		t.Run(name, func(t *testing.T) {
			reason := c.work.unsettled(c.stood, settle)
			if c.open == "" {
				assert.Empty(t, reason)
				return
			}
			assert.Contains(t, reason, c.open)
		})
	}
}

func TestWorkOfMembersIsHeldAgainstWhatIsCommitted(t *testing.T) {
	committed := clusters.Committed{"orders": {{Broker: "a", ID: 0}: 10, {Broker: "a", ID: 1}: 5}}
	queue := func(id int, commit int64, cached, inWork int) rocketmq.ProcessQueueInfo {
		return rocketmq.ProcessQueueInfo{
			Topic:        "orders",
			Broker:       "a",
			Queue:        id,
			CommitOffset: commit,
			CachedCount:  cached,
			InWork:       inWork,
		}
	}
	for name, c := range map[string]struct {
		queues []rocketmq.ProcessQueueInfo
		held   int
		behind bool
		due    []Move
	}{
		"all done":                              {[]rocketmq.ProcessQueueInfo{queue(0, 10, 0, 0), queue(1, 5, 0, 0)}, 0, false, nil},
		"messages are cached":                   {[]rocketmq.ProcessQueueInfo{queue(0, 10, 4, 0)}, 4, false, nil},
		"an orderly listener works":             {[]rocketmq.ProcessQueueInfo{queue(0, 10, 0, 1)}, 1, false, nil},
		"a commit is due":                       {[]rocketmq.ProcessQueueInfo{queue(0, 12, 0, 0)}, 0, true, []Move{{topic: "orders", queue: lane.Queue{Broker: "a"}, offset: 12}}},
		"nothing consumed, nothing committed":   {[]rocketmq.ProcessQueueInfo{queue(7, -1, 0, 0), queue(8, 0, 0, 0)}, 0, false, nil},
		"first commit is due":                   {[]rocketmq.ProcessQueueInfo{queue(7, 3, 0, 0)}, 0, true, []Move{{topic: "orders", queue: lane.Queue{Broker: "a", ID: 7}, offset: 3}}},
		"a dropped queue is another member's":   {[]rocketmq.ProcessQueueInfo{{Topic: "orders", Broker: "a", CommitOffset: 2, Dropped: true}}, 0, false, nil},
		"a member doesn't know what it read of": {[]rocketmq.ProcessQueueInfo{queue(0, -1, 0, 0)}, 0, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := work{}.judge([]rocketmq.RunningInfo{{Queues: c.queues}}, committed, nil)
			assert.Equal(t, c.held, w.held)
			assert.Equal(t, c.due, w.due)
			assert.Equal(t, c.behind, w.behind != "", "behind: %q", w.behind)
		})
	}
}

func TestQueuesThatNoMemberSpeaksForAreSilent(t *testing.T) {
	committed := clusters.Committed{
		"orders":        {{Broker: "a", ID: 0}: 10, {Broker: "a", ID: 1}: 5},
		"left-long-ago": {{Broker: "a", ID: 0}: 1},
	}
	subscribed := map[string]bool{"orders": true}
	of := func(queues ...rocketmq.ProcessQueueInfo) []rocketmq.RunningInfo {
		return []rocketmq.RunningInfo{{Queues: queues}}
	}
	first := rocketmq.ProcessQueueInfo{Topic: "orders", Broker: "a", Queue: 0, CommitOffset: 10}
	second := rocketmq.ProcessQueueInfo{Topic: "orders", Broker: "a", Queue: 1, CommitOffset: 5}
	dropped := second
	dropped.Dropped = true
	assert.Equal(t, 0, work{}.judge(of(first, second), committed, subscribed).silent)
	assert.Equal(t, 1, work{}.judge(of(first), committed, subscribed).silent, "one queue is left out")
	assert.Equal(t, 1, work{}.judge(of(first, dropped), committed, subscribed).silent, "one queue is being given up")
	assert.Equal(t, 2, work{}.judge(of(), committed, subscribed).silent, "an answer without queues proves nothing")
}

func TestDigestChangesWithEveryPosition(t *testing.T) {
	p := clusters.Committed{"orders": {{Broker: "a", ID: 0}: 10}, "%RETRY%billing": {{Broker: "a", ID: 0}: 1}}
	before := digestOf(p)
	assert.Equal(t, before, digestOf(p), "the order of maps doesn't matter")
	p["%RETRY%billing"][lane.Queue{Broker: "a", ID: 0}] = 2
	assert.NotEqual(t, before, digestOf(p))
}
