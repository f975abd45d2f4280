package checks

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// sharedTable is a table with a topic of two queues and their lanes.
func sharedTable() (*routing.Table, []*routing.Queue) {
	table := routing.NewTable()
	orders := table.Topics.Ensure("orders")
	orders.Ensure("a", 2)
	orders.Pair([]lane.Lane{
		{Topic: "orders", Source: lane.Queue{Broker: "a"}, Target: lane.Queue{Broker: "x", ID: 4}},
		{Topic: "orders", Source: lane.Queue{Broker: "a", ID: 1}, Target: lane.Queue{Broker: "x", ID: 5}},
	}, "", nil)
	return &table, orders.All()
}

func TestStrategiesAreReadFromWhatMembersSay(t *testing.T) {
	for said, want := range map[string]string{
		"org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely@1b2c": "AllocateMessageQueueAveragely",
		"com.example.Own": "Own",
		"":                "",
	} {
		assert.Equal(t, want,
			strategy(rocketmq.RunningInfo{Properties: map[string]string{"allocateMessageQueueStrategy": said}}),
			said)
	}
}

func TestQueuesAreContestedOrUnreadWhenLookAfterLookShowsIt(t *testing.T) {
	table, queues := sharedTable()
	var split splitGroups
	assert.Equal(t, queues[1],
		table.HeldQueue(rocketmq.ProcessQueueInfo{Topic: "orders", Broker: "x", Queue: 5}, false),
		"by the target's names")
	assert.Equal(t, queues[1],
		table.HeldQueue(rocketmq.ProcessQueueInfo{Topic: "orders", Broker: "a", Queue: 1}, true),
		"by the source's names")
	assert.Nil(t, table.HeldQueue(rocketmq.ProcessQueueInfo{Topic: "orders", Broker: "x", Queue: 9}, false))

	look := func(problem string, holders map[*routing.Queue][]string) control.MixedGroup {
		now := &sharing{
			MixedGroup: control.MixedGroup{Group: "billing", Problem: problem},
			holders:    holders,
			contested:  map[*routing.Queue]int{},
			unread:     map[*routing.Queue]int{},
		}
		now.count(table)
		split.Take(map[string]*sharing{"billing": now}, slog.New(slog.DiscardHandler))
		all := split.Report()
		require.Len(t, all, 1)
		return all[0]
	}
	both := map[*routing.Queue][]string{queues[0]: {"one", "two"}}
	for range mixedLooks - 1 {
		assert.Empty(t, look("", both).Contested, "members hand queues over")
	}
	seen := look("", both)
	assert.Equal(t, []control.HeldQueue{{TopicQueue: queues[0].Name(), Members: []string{"one", "two"}}},
		seen.Contested)
	assert.Equal(t, []control.TopicQueue{queues[1].Name()}, seen.Unread)
	seen = look("one doesn't say what it reads", both)
	assert.Empty(t, seen.Unread, "the silent member may read it")
	assert.NotEmpty(t, seen.Contested)
	seen = look("", map[*routing.Queue][]string{queues[0]: {"one"}, queues[1]: {"two"}})
	assert.Empty(t, seen.Contested)
	assert.Empty(t, seen.Unread)
	assert.Empty(t, look("", both).Contested, "it is counted from the beginning again")
}

func TestTheTargetIsTheAuthorityOfGroupsThatHaveMovedAlone(t *testing.T) {
	table, queues := sharedTable()
	table.MoveAuthority(routing.Target)
	assert.Equal(t, routing.Target, table.AuthorityOf([]byte("new")))
	v := table.Groups.Get([]byte("billing")).Of(queues[0])
	assert.Equal(t, routing.Source, table.AuthorityOf([]byte("billing")), "it reads on the source alone")
	v.Set(routing.ViewState{Side: routing.Target})
	assert.Equal(t, routing.Target, table.AuthorityOf([]byte("billing")))
	one, _ := table.Groups.Known([]byte("billing"))
	require.ErrorContains(t, ready(one, routing.Target),
		"queue a/0 of topic orders, which group billing reads, has its home on the source")
	queues[0].SetHome(routing.Target, queues[0].Shift())
	require.NoError(t, ready(one, routing.Target))
	one.Of(queues[1])
	require.ErrorContains(t, ready(one, routing.Target), "group billing reads queue a/1 of topic orders on the source")
	require.NoError(t, ready(one, routing.Source))
	one.Of(queues[1]).Set(routing.ViewState{Side: routing.Target})
	queues[1].SetHome(routing.Target, queues[1].Shift())
	require.NoError(t, sameRetries(table, "billing"))
	table.Topics.Ensure("%RETRY%billing").Beyond.Store(2)
	require.ErrorContains(t, sameRetries(table, "billing"), "%RETRY%billing has 2 queues more on the target")
}

// Brokers are asked about so many groups in a look, of each address as many.
func TestGroupsAreLookedAtInTurn(t *testing.T) {
	at := func(n byte) netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, n}), 32) }
	names := func(prefix string, n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint(prefix, i), fmt.Sprint(prefix, i)) // by two connections
		}
		return all
	}
	looked := map[string]bool{}
	for range 200 {
		now, rest := inTurn(
			map[netip.Prefix][]string{at(1): names("usual-", 50), at(2): names("invented-", 1000)}, MostMixed,
		)
		require.Len(t, now, 150)
		require.Len(t, rest, 900)
		for _, name := range now {
			looked[name] = true
		}
		for i := range 50 {
			require.Contains(t, now, fmt.Sprint("usual-", i), "each time")
		}
	}
	assert.Len(t, looked, 1050, "all have their turn")
	many := map[netip.Prefix][]string{}
	for n := range byte(250) {
		many[at(n)] = names(fmt.Sprint(n, "-"), 10)
	}
	now, _ := inTurn(many, MostMixed)
	assert.Len(t, now, MostMixed)
	now, _ = inTurn(nil, MostMixed)
	assert.Empty(t, now)

	var m splitGroups
	log := slog.New(slog.DiscardHandler)
	m.Take(map[string]*sharing{"a": {}, "b": {}}, log)
	m.Take(map[string]*sharing{}, log, "a", "other")
	assert.Equal(t, []string{"a"}, routing.SortedKeys(m.groups), "what wasn't looked at stays as it was")
}

func TestThatMembersShareWronglyIsSaidOnce(t *testing.T) {
	table, queues := sharedTable()
	var split splitGroups
	var log bytes.Buffer
	both := map[*routing.Queue][]string{queues[0]: {"one", "two"}}
	for range 3 * mixedLooks {
		now := &sharing{
			MixedGroup: control.MixedGroup{Group: "billing"},
			holders:    both,
			contested:  map[*routing.Queue]int{},
			unread:     map[*routing.Queue]int{},
		}
		now.count(table)
		split.Take(map[string]*sharing{"billing": now}, slog.New(slog.NewTextHandler(&log, nil)))
	}
	assert.Equal(t, 1, strings.Count(log.String(), "share queues wrongly"))
}
