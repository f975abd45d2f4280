package gateway

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

func configs(queues map[string]int) map[string]map[string]rocketmq.TopicConfig {
	all := map[string]rocketmq.TopicConfig{}
	for name, n := range queues {
		all[name] = rocketmq.TopicConfig{Name: name, ReadQueues: n, WriteQueues: 1}
	}
	return map[string]map[string]rocketmq.TopicConfig{
		"broker-a": all,
		"broker-b": {"orders": {ReadQueues: 1, WriteQueues: 2}},
	}
}

// A topic of three million queues, which 4.9.7 takes, cost 291 MB in 15 s; one of 2^31 would need
// 240 GB.
func TestTopicsOfTooManyQueuesAreNotListed(t *testing.T) {
	is := replicas.Lay(
		configs(
			map[string]int{
				"orders": 2,
				"vast":   3_000_000,
				"whole":  math.MaxInt32,
				"full":   routing.MostOfTopic,
				"over":   routing.MostOfTopic + 1,
				"odd":    -7,
			},
		),
		routing.MostQueues,
	)
	assert.Equal(
		t,
		[]lane.Queue{
			{Broker: "broker-a", ID: 0},
			{Broker: "broker-a", ID: 1},
			{Broker: "broker-b", ID: 0},
			{Broker: "broker-b", ID: 1},
		},
		is.Queues["orders"],
	)
	assert.Len(t, is.Queues["full"], routing.MostOfTopic)
	assert.Len(t, is.Queues["odd"], 1)
	assert.Equal(t,
		map[string]int64{"vast": 3_000_000, "whole": math.MaxInt32, "over": routing.MostOfTopic + 1}, is.Vast)
	assert.Len(t, is.Queues, 3)
}

func TestAllTopicsTogetherHaveABound(t *testing.T) {
	is := replicas.Lay(configs(map[string]int{"a": 60, "b": 60, "c": 30, "orders": 8}), 100)
	assert.Equal(t, map[string]int64{"b": 60}, is.Vast, "those that fit in are in, by their names")
	assert.Len(t, is.Queues, 3)
}

// What clients do with a topic of too many queues passes as it is; it is named in the state, and
// can't move.
func TestATopicOfTooManyQueuesPassesAsItIs(t *testing.T) {
	s := share(t, fine)
	s.passVast(map[string]int64{"vast": 3_000_000})
	s.passVast(map[string]int64{"vast": 3_000_001})
	conn := s.from(1)
	in := wire.NewReader(conn)
	for opaque, code := range []int{remoting.CodeSendV2, remoting.CodePull, remoting.CodeUpdateOffset} {
		_, err := conn.Write(
			wire.AppendRequest(
				nil,
				code,
				int32(opaque),
				0,
				[]string{
					"b",
					"vast",
					"e",
					"2999999",
					"topic",
					"vast",
					"queueId",
					"2999999",
					"consumerGroup",
					"billing",
					"queueOffset",
					"0",
					"commitOffset",
					"0",
					"sysFlag",
					"0",
				},
				nil,
			),
		)
		require.NoError(t, err)
		var f wire.Frame
		require.NoError(t, in.Next(&f))
		assert.Equal(t, remoting.Success, f.Code)
	}
	assert.Equal(t, map[string]int64{"vast": 3_000_001}, s.Bounds().Topics)
	assert.EqualValues(t, 1, s.Bounds().Reached["topics"], "it is said once")
	assert.Empty(t, s.table.Groups.All(), "nothing is kept of it")
	_, err := s.queuesOf(control.Move{Kind: control.KindHome, To: "target", Topics: []string{"vast"}})
	require.ErrorContains(t, err, "topic vast has 3000001 queues on the source")
}

// A topic that grew too much after it had moved keeps what it has, and can go back.
func TestATopicThatGrewKeepsWhatItHas(t *testing.T) {
	g := idle(t)
	g.serving = time.Now().Add(time.Hour)
	one := g.table.Topics.Ensure("orders")
	one.Ensure("broker-a", 4)
	one.Pair(
		[]lane.Lane{
			{Topic: "orders", Source: lane.Queue{Broker: "broker-a", ID: 1}, Target: lane.Queue{Broker: "broker-t"}},
		},
		"",
		func(*routing.Queue) bool { return false },
	)
	one.All()[1].SetHome(routing.Target, one.All()[1].Shift())
	g.passVast(map[string]int64{"orders": routing.MostOfTopic + 1})
	assert.Empty(t, one.Reason())
	assert.NotNil(t, one.All()[1].Lane())
	back, err := g.queuesOf(control.Move{Kind: control.KindHome, To: "source", Topics: []string{"orders"}})
	require.NoError(t, err)
	assert.Len(t, back, 4)
	_, err = g.queuesOf(control.Move{Kind: control.KindHome, To: "target", Topics: []string{"orders"}})
	require.ErrorContains(t, err, "looks into topics of 16384 at most")
}

func TestQueuesAndViewsAreCountedInTheMemory(t *testing.T) {
	g := idle(t)
	g.config.Memory = memory.LeastMemory
	g.clients.bind()
	g.table.Topics.Ensure("orders").Ensure("broker-a", 4)
	g.table.Topics.Ensure("orders").Ensure("broker-a", 3)
	g.table.Topics.Ensure("orders").Ensure("broker-a", 6)
	g.table.Groups.Asked([]byte("billing"), g.table.Topics.Get([]byte("orders")).All()[0])
	assert.EqualValues(t, 6*routing.PerQueue+routing.PerView, g.Bounds().Fixed)
	assert.Less(
		t,
		g.table.Topics.Most*routing.PerQueue+g.table.Groups.Room.Most*routing.PerView+int64(
			g.clients.admission.limiter.Most,
		)*connections.PerDescriptor,
		g.Bounds().Limit*3/4,
		"a fourth is left for frames",
	)
	assert.LessOrEqual(t, int64(2*wire.MaxFrame),
		(g.Bounds().Limit-g.config.part(forConnections+forViews+forQueues))*3/4,
		"the largest frame fits in when all else is full")
}

// Pulls that wait for a group's move take memory; without it they are asked for again.
func TestPullsThatCannotWaitAreAskedForAgain(t *testing.T) {
	s := share(t, fine)
	v := s.table.Groups.Get([]byte("billing")).Of(s.table.Topics.Get([]byte("orders")).All()[0])
	stopped, _ := v.Stop(routing.Target)
	require.True(t, stopped)
	full := s.clients.admission.budget.Enter(netip.AddrFrom4([4]byte{127, 0, 0, 2}), func(int64) {})
	pull := func(opaque int32) []byte {
		return wire.AppendRequest(nil, remoting.CodePull, opaque, 0,
			[]string{"topic", "orders", "queueId", "0", "consumerGroup", "billing", "queueOffset", "5", "sysFlag", "0"},
			nil)
	}
	conn := s.from(2)
	_, err := conn.Write(pull(1))
	require.NoError(t, err)
	s.until("one waits", func() bool { return s.clients.figures.counts.HeldPulls.Load() == 1 })
	held := s.Bounds().Held
	assert.GreaterOrEqual(t, held, int64(len(pull(1))))
	b := s.Bounds()
	require.NoError(t, full.Take(int((b.Limit-b.Fixed)/4*3)-int(b.Held)-64))
	_, err = conn.Write(pull(2))
	require.NoError(t, err)
	var f wire.Frame
	require.NoError(t, wire.NewReader(conn).Next(&f))
	assert.Equal(t, fmt.Sprint(remoting.PullRetryImmediately, 2), fmt.Sprint(f.Code, f.Opaque))
	assert.EqualValues(t, 1, s.Bounds().Reached["parked"])
	full.Leave()
	routing.GoOn([]*routing.View{v})
	s.until("it is given back", func() bool { return s.Bounds().Held == 0 })
}

func TestAGatewayThatEndsLetsNobodyWait(t *testing.T) {
	s := share(t, fine)
	full := s.clients.admission.budget.Enter(netip.AddrFrom4([4]byte{127, 0, 0, 2}), func(int64) {})
	b := s.Bounds()
	require.NoError(t, full.Take(int(b.Limit/4*3-(1<<20))))
	writes(s.from(2), begunFrame(10_000))
	s.until("it waits", func() bool { return s.Bounds().Waiting == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), memory.Patience/2)
	defer cancel()
	s.clients.admission.budget.Close()
	s.until("it has ended", func() bool { return len(s.clients.registry.all()) == 0 })
	require.NoError(t, ctx.Err())
}
