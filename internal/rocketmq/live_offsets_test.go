package rocketmq_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// wantOffset fails unless the broker says that position of the test's group.
func (l *live) wantOffset(queue int, want int64) {
	l.Helper()
	got, found, err := l.client.QueryOffset(l.ctx, l.addr, l.group, l.topic, queue)
	require.NoError(l, err)
	if !found || got != want {
		l.Errorf("position of %s on %s queue %d: %d, found %v; wanted %d", l.group, l.topic, queue, got, found, want)
	}
}

func TestLivePositionsAreReadBackAsWritten(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(4)
		l.makeGroup()
		l.fill(0, 10)
		for _, offset := range []int64{1, 10, 3, 0, 1 << 40} { // forward, back, and beyond the end
			require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, offset))
			l.wantOffset(0, offset)
		}
		require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 6))
		require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 3, 2))
		all, err := l.client.AllOffsets(l.ctx, l.addr)
		require.NoError(l, err)
		assert.Equal(l, map[int]int64{0: 6, 3: 2}, all[rocketmq.TopicGroup{Topic: l.topic, Group: l.group}])

		stats, err := l.client.ConsumeStats(l.ctx, l.addr, l.group)
		require.NoError(l, err)
		want := map[rocketmq.TopicQueue]rocketmq.QueueStats{}
		for queue, s := range []rocketmq.QueueStats{{BrokerOffset: 10, ConsumerOffset: 6}, {}, {}, {ConsumerOffset: 2}} {
			want[rocketmq.TopicQueue{Topic: l.topic, Broker: l.broker, Queue: queue}] = s
		}
		assert.Equal(l, want, stats)
	})
}

// Brokers keep a table of positions per topic and group. Two first writes at the same moment both
// make it, and one of them is lost though both are acknowledged, sometimes after it was read back
// (facts in docs/explanation/how-it-works.md).
func TestLiveFirstPositionsWrittenTogetherAllStay(t *testing.T) {
	onEach(t, func(l *live) {
		const groups, queues = 100, 8
		l.makeTopic(queues)
		for g := range groups {
			group := fmt.Sprintf("%s-%d", l.group, g)
			config := l.plainGroup()
			config.Name = group
			l.groupsCreated = append(l.groupsCreated, group)
			require.NoError(l, l.client.PutGroup(l.ctx, l.addr, config))
			var together errgroup.Group
			for queue := range queues {
				together.Go(
					func() error { return l.client.UpdateOffset(l.ctx, l.addr, group, l.topic, queue, int64(queue+1)) },
				)
			}
			require.NoError(l, together.Wait())
		}
		all, err := l.client.AllOffsets(l.ctx, l.addr)
		require.NoError(l, err)
		for g := range groups {
			group := fmt.Sprintf("%s-%d", l.group, g)
			assert.Len(l, all[rocketmq.TopicGroup{Topic: l.topic, Group: group}], queues,
				"positions of group %s", group)
		}
	})
}

func TestLiveGroupWithoutAPositionHasNone(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.makeGroup()
		l.fill(0, 2)
		got, found, err := l.client.QueryOffset(l.ctx, l.addr, l.group, l.topic, 0)
		require.NoError(l, err)
		assert.Zero(l, got)
		assert.Equal(l, !l.is5(), found, "4.x says 0 for a queue whose first message is in memory")
		all, err := l.client.AllOffsets(l.ctx, l.addr)
		require.NoError(l, err)
		assert.NotContains(l, all, rocketmq.TopicGroup{Topic: l.topic, Group: l.group})
		stats, err := l.client.ConsumeStats(l.ctx, l.addr, l.group)
		require.NoError(l, err)
		assert.Empty(l, stats)
	})
}

func TestLivePositionsOfUnknownGroupsAndTopicsAreRefusedBy5Only(t *testing.T) {
	onEach(t, func(l *live) {
		write := func(group, topic string) error { return l.client.UpdateOffset(l.ctx, l.addr, group, topic, 0, 1) }
		l.makeTopic(1)
		l.makeGroup()
		nobody, nothing := l.group+"-nobody", l.topic+"-nothing"
		l.groupsCreated = append(l.groupsCreated, nobody)
		group, topic := write(nobody, l.topic), write(l.group, nothing)
		if !l.is5() {
			assert.NoError(l, group)
			assert.NoError(l, topic)
			return
		}
		l.wantCode("position of an unknown group", remoting.SubscriptionGroupGone, group)
		l.wantCode("position on an unknown topic", remoting.TopicNotExist, topic)
	})
}

func TestLiveDeletedTopicsPositionsStayOn4Only(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.makeGroup()
		require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 9))
		require.NoError(l, l.client.DeleteTopic(l.ctx, l.addr, l.topic))
		l.until("the positions as the version handles them", func() (any, bool) {
			all, err := l.client.AllOffsets(l.ctx, l.addr)
			require.NoError(l, err)
			_, kept := all[rocketmq.TopicGroup{Topic: l.topic, Group: l.group}]
			return kept, kept == !l.is5()
		})
	})
}

func TestLivePendingResetIsSaidInsteadOfLosingAPosition(t *testing.T) {
	l := newLive(t, labtest.Cluster(t, v5), rocketmq.Options{})
	l.makeTopic(1)
	l.makeGroup()
	l.fill(0, 8)
	require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 7))
	got, err := l.client.Call(l.ctx, l.addr, &remoting.Command{Code: resetOffset, Fields: map[string]string{
		"topic": l.topic, "group": l.group, "timestamp": "-1", "isForce": "true", "queueId": "0", "offset": "3",
	}})
	require.NoError(l, err)
	require.Equal(l, remoting.Success, got.Code, got.Remark)

	err = l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 5)
	require.ErrorContains(l, err, "reset of this position is pending")
	require.ErrorContains(l, err, l.group)
	l.wantOffset(0, 3)

	moved, err := l.client.Pull(l.ctx, l.addr, rocketmq.PullRequest{Group: l.group, Topic: l.topic, Offset: 5, Max: 1})
	require.NoError(l, err)
	assert.Equal(l, rocketmq.PullMovedOffset, moved.Status)
	assert.EqualValues(l, 3, moved.Next)
	require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 5), "the pull has ended the reset")
	l.wantOffset(0, 5)
}

func TestLiveQueuesBeginAndEndWhereTheirMessagesDo(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		l.fill(1, 4)
		for _, row := range []struct {
			name     string
			topic    string
			queue    int
			min, max int64
		}{
			{"empty queue", l.topic, 0, 0, 0},
			{"filled queue", l.topic, 1, 0, 4},
			{"queue that isn't there", l.topic, 99, 0, 0},
			{"topic that isn't there", l.topic + "-nothing", 0, 0, 0},
		} {
			lowest, err := l.client.MinOffset(l.ctx, l.addr, row.topic, row.queue)
			require.NoError(l, err, row.name)
			highest, err := l.client.MaxOffset(l.ctx, l.addr, row.topic, row.queue)
			require.NoError(l, err, row.name)
			assert.Equal(l, [2]int64{row.min, row.max}, [2]int64{lowest, highest}, row.name)
		}
	})
}

func TestLiveSearchByTimeKnowsBeforeAndAfter(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.fill(0, 3)
		stored := l.read(l.topic, 0, 0, 1)[0].StoreTimestamp
		for _, row := range []struct {
			name string
			time int64
			want string
		}{
			{"before the first", stored - time.Hour.Milliseconds(), "0"},
			// 4.x says the last, 5.x the end
			{"in the future", stored + time.Hour.Milliseconds(), byVersion(l, "2", "3")},
		} {
			got, err := l.client.Call(l.ctx, l.addr, &remoting.Command{Code: searchOffset, Fields: map[string]string{
				"topic": l.topic, "queueId": "0", "timestamp": strconv.FormatInt(row.time, 10),
			}})
			require.NoError(l, err, row.name)
			assert.Equal(l, remoting.Success, got.Code, row.name)
			assert.Equal(l, row.want, got.Fields["offset"], row.name)
		}
	})
}

func TestLiveDelayOffsetsFollowTheDeliveries(t *testing.T) {
	onEach(t, func(l *live) {
		const level = 1 // of one second
		delivered := func() int64 {
			all, err := l.client.DelayOffsets(l.ctx, l.addr)
			require.NoError(l, err)
			return all[level]
		}
		l.makeTopic(1)
		before := delivered()
		_, err := l.sendMessage(l.addr, rocketmq.SendRequest{
			Group: "writer", Topic: l.topic, BornTimestamp: time.Now().UnixMilli(), Body: []byte("later"),
			Properties: remoting.EncodeProperties(
				[]remoting.Property{{Name: remoting.PropDelay, Value: strconv.Itoa(level)}},
			),
		})
		require.NoError(l, err)
		got := l.read(l.topic, 0, 0, 1)[0]
		assert.Equal(l, "later", string(got.Body))
		assert.GreaterOrEqual(l, got.StoreTimestamp-got.BornTimestamp, int64(900),
			"milliseconds from the send to the delivery")
		l.until("the level's position has moved on",
			func() (any, bool) { now := delivered(); return now, now > before })
	})
}
