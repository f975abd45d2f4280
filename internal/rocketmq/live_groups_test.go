package rocketmq_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Requests that the tests make beside the typed calls (RequestCode).
const (
	heartbeat    = 34
	putGroup     = 200
	allGroups    = 201
	resetOffset  = 222
	searchOffset = 29
	unknownCode  = 9999
)

func TestLiveGroupSettingsAreReadAsTheyWereWritten(t *testing.T) {
	onEach(t, func(l *live) {
		rows := map[string]func(g *rocketmq.Group){
			"plain":              func(*rocketmq.Group) {},
			"fenced":             func(g *rocketmq.Group) { g.ConsumeEnable = false },
			"not from the start": func(g *rocketmq.Group) { g.FromMinEnable = false },
			"no broadcasts":      func(g *rocketmq.Group) { g.BroadcastEnable = false },
			"no retries":         func(g *rocketmq.Group) { g.RetryQueues, g.RetryMaxTimes = 0, 0 },
			"many retries":       func(g *rocketmq.Group) { g.RetryQueues, g.RetryMaxTimes = 4, 1000 },
			"slaves when slow":   func(g *rocketmq.Group) { g.BrokerID, g.WhichBrokerWhenSlow = 1, 2 },
			"not notified":       func(g *rocketmq.Group) { g.NotifyChanged = false },
			"orderly":            func(g *rocketmq.Group) { g.Orderly = true },
		}
		l.makeGroup()
		for name, change := range rows {
			want := l.plainGroup()
			change(&want)
			require.NoError(l, l.client.PutGroup(l.ctx, l.addr, want), name)
			all, err := l.client.Groups(l.ctx, l.addr)
			require.NoError(l, err, name)
			want.Orderly = want.Orderly && l.is5() // 4.x doesn't know it
			assert.Equal(l, visible(want), visible(all[l.group]), name)
		}
	})
}

// visible is what a reader sees of a group: without the settings that are only carried along.
func visible(g rocketmq.Group) rocketmq.Group {
	return rocketmq.Group{
		Name: g.Name, ConsumeEnable: g.ConsumeEnable, FromMinEnable: g.FromMinEnable,
		BroadcastEnable: g.BroadcastEnable, Orderly: g.Orderly, RetryQueues: g.RetryQueues,
		RetryMaxTimes: g.RetryMaxTimes, BrokerID: g.BrokerID, WhichBrokerWhenSlow: g.WhichBrokerWhenSlow,
		NotifyChanged: g.NotifyChanged,
	}
}

func TestLiveGroupKeepsSettingsThatTheClientDoesNotKnow(t *testing.T) {
	l := newLive(t, labtest.Cluster(t, v5), rocketmq.Options{})
	l.groupsCreated = append(l.groupsCreated, l.group)
	unknown := `"consumeTimeoutMinute":7,"groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1000,"max":9000,"multiplier":3}}`
	got, err := l.client.Call(l.ctx, l.addr,
		&remoting.Command{Code: putGroup, Body: []byte(`{"groupName":"` + l.group + `",` + unknown + `}`)})
	require.NoError(l, err)
	require.Equal(l, remoting.Success, got.Code, got.Remark)
	before := l.groupAsStored()

	all, err := l.client.Groups(l.ctx, l.addr)
	require.NoError(l, err)
	fenced := all[l.group]
	require.True(l, fenced.ConsumeEnable)
	fenced.ConsumeEnable = false
	require.NoError(l, l.client.PutGroup(l.ctx, l.addr, fenced))
	after := l.groupAsStored()
	assert.EqualValues(l, 7, after["consumeTimeoutMinute"])
	assert.Equal(l, false, after["consumeEnable"])
	before["consumeEnable"] = false
	assert.Equal(l, before, after, "all but what was changed")
}

// groupAsStored is the group's settings in the broker's own words.
func (l *live) groupAsStored() map[string]any {
	l.Helper()
	got, err := l.client.Call(l.ctx, l.addr, &remoting.Command{Code: allGroups})
	require.NoError(l, err)
	var all struct {
		Table map[string]map[string]any `json:"subscriptionGroupTable"`
	}
	require.NoError(l, json.Unmarshal(got.Body, &all))
	require.Contains(l, all.Table, l.group)
	return all.Table[l.group]
}

func TestLiveFencedGroupReadsNothingButCommits(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.makeGroup()
		l.fill(0, 3)
		request := rocketmq.PullRequest{Group: l.group, Topic: l.topic, Max: 32}
		fenced := l.plainGroup()
		fenced.ConsumeEnable = false
		require.NoError(l, l.client.PutGroup(l.ctx, l.addr, fenced))
		_, err := l.client.Pull(l.ctx, l.addr, request)
		l.wantCode("pull of a fenced group", remoting.NoPermission, err)
		require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 2))
		l.wantOffset(0, 2)

		require.NoError(l, l.client.PutGroup(l.ctx, l.addr, l.plainGroup()))
		got, err := l.client.Pull(l.ctx, l.addr, request)
		require.NoError(l, err)
		assert.Len(l, got.Messages, 3)
	})
}

func TestLiveDeletedGroupLosesItsPositionsOnlyWhenThatIsWanted(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.fill(0, 5)
		for _, clean := range []bool{false, true} {
			l.makeGroup()
			require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 4))
			require.NoError(l, l.client.DeleteGroup(l.ctx, l.addr, l.group, clean))
			groups, err := l.client.Groups(l.ctx, l.addr)
			require.NoError(l, err)
			assert.NotContains(l, groups, l.group)
			all, err := l.client.AllOffsets(l.ctx, l.addr)
			require.NoError(l, err)
			_, kept := all[rocketmq.TopicGroup{Topic: l.topic, Group: l.group}]
			assert.Equal(l, !clean, kept, "positions kept after a deletion with clean=%v", clean)
		}
	})
}

func TestLiveDeletingWhatIsNotThereIsNoError(t *testing.T) {
	onEach(t, func(l *live) {
		assert.NoError(l, l.client.DeleteGroup(l.ctx, l.addr, l.group, true))
		assert.NoError(l, l.client.DeleteTopic(l.ctx, l.addr, l.topic))
		assert.NoError(l, l.client.DeleteTopicInNameServer(l.ctx, l.nameServer, l.topic))
	})
}

func TestLiveLocksHaveOneHolderAtATime(t *testing.T) {
	onEach(t, func(l *live) {
		queues := make([]rocketmq.MessageQueue, 3)
		for i := range queues {
			queues[i] = rocketmq.MessageQueue{Topic: l.topic, Broker: l.broker, Queue: i}
		}
		l.Cleanup(func() {
			for _, holder := range []string{"one", "two"} {
				_ = l.client.UnlockQueues(l.ctx, l.addr, l.group, holder, queues)
			}
		})
		type step struct {
			name          string
			group, client string
			unlock        bool
			ask, held     []rocketmq.MessageQueue
		}
		for _, s := range []step{
			{name: "the first takes two", group: l.group, client: "one", ask: queues[:2], held: queues[:2]},
			{name: "the first renews them", group: l.group, client: "one", ask: queues[:2], held: queues[:2]},
			{name: "the second gets only what is free", group: l.group, client: "two", ask: queues, held: queues[2:]},
			{name: "the first doesn't get that one", group: l.group, client: "one", ask: queues, held: queues[:2]},
			{name: "the second can't give back what it doesn't hold", group: l.group, client: "two", unlock: true, ask: queues[:1]},
			{name: "so the first still holds it", group: l.group, client: "two", ask: queues[:1]},
			{name: "another group has locks of its own", group: l.group + "-other", client: "two", ask: queues, held: queues},
			{name: "the first gives one back", group: l.group, client: "one", unlock: true, ask: queues[:1]},
			{name: "the second takes it", group: l.group, client: "two", ask: queues, held: []rocketmq.MessageQueue{queues[0], queues[2]}},
			{name: "nothing asked, nothing held", group: l.group, client: "two"},
			{name: "all is given back", group: l.group + "-other", client: "two", unlock: true, ask: queues},
		} {
			if s.unlock {
				require.NoError(l, l.client.UnlockQueues(l.ctx, l.addr, s.group, s.client, s.ask), s.name)
				continue
			}
			held, err := l.client.LockQueues(l.ctx, l.addr, s.group, s.client, s.ask)
			require.NoError(l, err, s.name)
			assert.ElementsMatch(l, s.held, held, s.name)
		}
	})
}
