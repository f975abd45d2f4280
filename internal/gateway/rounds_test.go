package gateway

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// idlePair are two gateways without clusters that know each other, with a queue whose home can
// move.
func idlePair(t *testing.T) (all [2]*Gateway, queues [2]*routing.Queue) {
	t.Helper()
	var gateways []control.Peer
	for i, name := range []string{"a", "b"} {
		g := idle(t)
		g.config.Name, g.config.Token = name, testToken
		g.rounds, g.lease = g.newRounds(), g.newLease()
		g.clients.lease = g.lease
		controls, err := controlserver.New(g, testToken)
		require.NoError(t, err)
		at, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		g.running.Go(func() { _ = controls.Serve(g.ctx, at) })
		t.Cleanup(func() {
			g.stop()
			g.running.Wait()
		})
		gateways = append(gateways, control.Peer{Name: name, Control: at.Addr().String()})
		all[i] = g
	}
	nobody := rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), []string{"127.0.0.1:1"})
	for i, g := range all {
		g.sides.Source = nobody
		m := control.Migration{
			Name:        "m",
			LaneGroup:   "l",
			Source:      "S",
			Target:      "T",
			NameServers: []string{"127.0.0.1:1"},
			Gateways:    gateways,
			Ordered:     []string{"orders"},
		}
		g.sides.Migration.Store(
			&replicas.Migration{
				Migration:     m,
				TargetCluster: nobody,
				Positions:     nil,
				Others:        m.OthersThan(g.config.Name),
				OrderedTopics: map[string]bool{"orders": true},
			},
		)
		t1 := g.table.Topics.Ensure("orders")
		t1.Ensure("broker-a", 1)
		queues[i] = t1.Queue([]byte("broker-a"), 0)
		queues[i].SetLane(&lane.Lane{Topic: "orders", Target: lane.Queue{Broker: "broker-t"}})
		g.serving = time.Now().Add(time.Hour) // the topic was there before
		g.sides.Limits.Store(&map[string]replicas.Limits{"broker-t": {}})
	}
	return all, queues
}

// pipe is a connection with both its ends.
func pipe(t *testing.T) (server, client net.Conn) {
	t.Helper()
	server, client = net.Pipe()
	t.Cleanup(func() {
		_ = server.Close()
		_ = client.Close()
	})
	require.NoError(t, client.SetDeadline(time.Now().Add(patience)))
	return server, client
}

func homeRound(id string, budget time.Duration) store.Round {
	return store.Round{
		ID: id, Kind: control.KindHome, To: "target", Leader: "a", Budget: control.Duration(budget),
		Queues: []control.TopicQueue{{Topic: "orders", Queue: lane.Queue{Broker: "broker-a", ID: 0}}},
	}
}

// prepare has a gateway take part in a round, and lets nothing happen when its budget passes: the
// test says what happens.
func prepare(t *testing.T, p store.Participant, at *Gateway, r store.Round) store.Prepared {
	t.Helper()
	at.rounds.LapseAfter = time.Hour
	known, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	return known
}

func underWay(of *rounds.Rounds) string {
	round, _ := of.UnderWay()
	return round
}

var homeOutcome = store.Outcome{
	Epoch: 1,
	Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Home: "target", Shift: 7}},
}

func TestARoundIsPreparedReadyAndCommittedOverTheControlAPI(t *testing.T) {
	all, queues := idlePair(t)
	other := remoteParticipant{all[0].clientOf(all[0].sides.Peers()[0])}
	known := prepare(t, other, all[1], homeRound("1", 2*time.Second))
	require.Len(t, known.Queues, 1)
	require.NotNil(t, queues[1].Hold(), "sends wait")
	_, err := other.Prepare(t.Context(), homeRound("2", 2*time.Second))
	require.ErrorContains(t, err, "takes part in round 1")
	require.ErrorContains(t, other.Ready(t.Context(), "2", homeOutcome), "takes no part in round 2")
	require.ErrorContains(t, other.Commit(t.Context(), "1"), "has no outcome of round 1")
	require.NoError(t, other.Ready(t.Context(), "1", homeOutcome))
	again, err := store.Open(filepath.Dir(all[1].state.Path))
	require.NoError(t, err)
	require.Equal(t, "1", again.Last().Open.Round.ID, "it is on disk")
	for range 2 { // a repeated one has no effect
		require.NoError(t, other.Commit(t.Context(), "1"))
	}
	require.Equal(t, routing.Target, queues[1].At())
	require.Nil(t, queues[1].Hold(), "sends go on")
	require.ErrorContains(t, other.Abort(t.Context(), "1"), "round 1 is decided")
	is, err := other.Replica(t.Context())
	require.NoError(t, err)
	assert.Nil(t, is.Open)
	assert.EqualValues(t, 1, is.Epoch)
	_, err = other.Prepare(t.Context(), homeRound("3", 2*time.Second))
	require.ErrorContains(t, err, "is in epoch 1, the round is of epoch 0")
}

func TestARoundThatNobodyEndsLeavesEverythingAsItWas(t *testing.T) {
	all, queues := idlePair(t)
	other := remoteParticipant{all[0].clientOf(all[0].sides.Peers()[0])}
	_, err := other.Prepare(t.Context(), homeRound("1", 200*time.Millisecond))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return queues[1].Hold() == nil }, patience, 10*time.Millisecond,
		"its budget passes")
	require.Equal(t, routing.Source, queues[1].At())
	require.NoError(t, other.Abort(t.Context(), "1"), "it has ended so")
	require.ErrorContains(t, other.Ready(t.Context(), "1", homeOutcome), "takes no part")
}

// A gateway that was ready asks the others when it hears nothing more, here without any witness:
// the source's brokers are away.
func TestAGatewayInDoubtGoesByWhatOthersKnow(t *testing.T) {
	for name, decided := range map[string]bool{"they went by it": true, "they gave it up": false} {
		t.Run(name, func(t *testing.T) {
			all, queues := idlePair(t)
			leader, other := all[0].rounds, all[1].rounds
			prepare(t, leader, all[0], homeRound("1", control.MostBudget))
			_, err := other.Prepare(t.Context(), homeRound("1", time.Second))
			require.NoError(t, err)
			for _, p := range []store.Participant{leader, other} {
				require.NoError(t, p.Ready(t.Context(), "1", homeOutcome))
			}
			require.Eventually(t, func() bool { h := queues[1].Hold(); return h != nil && h.Refuses() },
				patience, time.Millisecond, "an ordered topic's sends are refused when the budget has passed")
			_, doubt := other.UnderWay()
			require.True(t, doubt)
			require.True(t, queues[1].Hold().Refuses(), "an ordered topic's sends are refused meanwhile")
			if decided {
				require.NoError(t, leader.Commit(t.Context(), "1"))
			} else {
				require.NoError(t, leader.Abort(t.Context(), "1"))
			}
			require.Eventually(t, func() bool { return underWay(other) == "" && queues[1].Hold() == nil },
				patience, 10*time.Millisecond, "it finds out")
			require.Equal(t, decided, queues[1].At() == routing.Target)
			require.Equal(t, all[0].moves.epoch.Load(), all[1].moves.epoch.Load())
		})
	}
}

// After a restart, a round that was open is taken up again, before anything is sent.
func TestARestartTakesUpAnOpenRound(t *testing.T) {
	all, queues := idlePair(t)
	leader := all[0].rounds
	for _, g := range all {
		prepare(t, g.rounds, g, homeRound("1", 2*time.Second))
		require.NoError(t, g.rounds.Ready(t.Context(), "1", homeOutcome))
	}
	state, err := store.Open(filepath.Dir(all[1].state.Path))
	require.NoError(t, err)
	held := queues[1].Hold()
	queues[1].Freed(held)
	held.End(func() {}) // as if it had been killed
	all[1].rounds = all[1].newRounds()
	all[1].rounds.FindOut(all[1].rounds.Reopen(state.Last().Open))
	require.True(t, queues[1].Hold().Refuses())
	require.NoError(t, leader.Commit(t.Context(), "1"))
	require.Eventually(t, func() bool { return queues[1].At() == routing.Target }, patience, 10*time.Millisecond,
		"it finds out")
}

func TestAGatewayThatMissedARoundTakesItOver(t *testing.T) {
	all, queues := idlePair(t)
	all[0].apply(&homeOutcome)
	all[1].sync(t.Context())
	require.Equal(t, routing.Target, queues[1].At())
	require.EqualValues(t, 1, all[1].moves.epoch.Load())
	all[0].apply(&store.Outcome{Epoch: 2, Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Home: "source"}}})
	all[1].sync(t.Context())
	require.Equal(t, routing.Source, queues[1].At())
	require.False(t, all[1].table.AnythingOnTarget())
}

func TestWhoAnsweredLastKnowsWhereAGroupIs(t *testing.T) {
	of := control.TopicQueue{Topic: "orders", Queue: lane.Queue{Broker: "broker-a"}}
	got := newest([]store.Prepared{
		{
			Views: []store.PreparedView{
				{
					TopicQueue: of,
					Next:       100,
					NextAge:    control.Duration(time.Minute),
					Kept:       90,
					KeptAge:    control.Duration(time.Second),
					Claimed:    -1,
				},
			},
		},
		{
			Views: []store.PreparedView{
				{TopicQueue: of, Next: 500, NextAge: control.Duration(time.Second), Kept: -1, KeptAge: 0, Claimed: 95},
			},
		},
		{
			Views: []store.PreparedView{
				{TopicQueue: of, Next: -1, NextAge: 0, Kept: 80, KeptAge: control.Duration(time.Minute), Claimed: -1},
			},
		},
	})
	assert.EqualValues(t, 500, got[of].Next)
	assert.EqualValues(t, 90, got[of].Kept)
	assert.EqualValues(t, 95, got[of].Claimed)
}

func TestTargetBrokersHaveTheSameNumbersEverywhere(t *testing.T) {
	all, queues := idlePair(t)
	g := all[0]
	g.sides.Targets.Store(&[]string{"broker-t", "broker-u"})
	require.NoError(t, g.agreeOnTargets([]string{"broker-u", "broker-t"}), "nothing is there yet")
	assert.Equal(t, []string{"broker-u", "broker-t"}, *g.sides.Targets.Load())
	queues[0].SetHome(routing.Target, queues[0].Shift())
	require.ErrorContains(t, g.agreeOnTargets([]string{"broker-t"}), "numbers target broker broker-t otherwise")
	require.NoError(t, g.agreeOnTargets([]string{"broker-u", "broker-t", "broker-v"}))
}

// Clients of one gateway use a topic that another one hasn't seen yet: who leads hands its lanes
// over. Without them the round is refused, as that gateway wouldn't know where to send to.
func TestAGatewayThatHasNotSeenATopicLearnsItsLanesInTheRound(t *testing.T) {
	all, queues := idlePair(t)
	l := *queues[1].Lane()
	queues[1].SetLane(nil)
	l.Source = lane.Queue{Broker: "broker-a"}
	other := all[1].rounds
	r := store.Round{
		ID:     "one",
		Kind:   control.KindSide,
		To:     "target",
		Leader: "a",
		Group:  "billing",
		Budget: control.Duration(2 * time.Second),
		Queues: []control.TopicQueue{queues[0].Name()},
	}
	prepare(t, other, all[1], r)
	o := store.Outcome{
		Epoch: 1,
		Views: []store.View{{Group: "billing", Topic: "orders", Broker: "broker-a", Side: "target"}},
	}
	err := other.Ready(t.Context(), "one", o)
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "gateway b doesn't know the lane of queue broker-a/0 of topic orders")

	o.Lanes = []lane.Lane{l}
	require.NoError(t, other.Ready(t.Context(), "one", o))
	require.NoError(t, other.Commit(t.Context(), "one"))
	require.Equal(t, l, *queues[1].Lane())
}

// Queues that a gateway is told of are made here up to their numbers: one that nobody could have is
// refused before anything waits, and what another gateway says is taken over as a whole or not at
// all.
func TestQueuesThatNobodyCouldHaveAreRefused(t *testing.T) {
	for _, id := range []int{-1, routing.MostOfTopic, 1<<31 - 1} {
		all, queues := idlePair(t)
		g, other := all[1], remoteParticipant{all[0].clientOf(all[0].sides.Peers()[0])}
		odd := control.TopicQueue{Topic: "orders", Queue: lane.Queue{Broker: "broker-a", ID: id}}
		v := g.table.Groups.Get([]byte("billing")).Of(queues[1])
		for _, r := range []store.Round{
			homeRound("1", time.Second),
			{ID: "1", Kind: control.KindSide, To: "target", Budget: control.Duration(time.Second), Group: "billing"},
		} {
			r.Queues = []control.TopicQueue{odd}
			_, err := other.Prepare(t.Context(), r)
			require.ErrorContains(t, err, "numbers from 0 to 16383 are possible", r.Kind)
			round, _ := g.rounds.UnderWay()
			require.Empty(t, round)
			require.False(t, stops(v), "pulls don't wait")
		}
		prepare(t, other, g, homeRound("2", 2*time.Second))
		for _, o := range []store.Outcome{
			{Epoch: 1, Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Queue: id, Home: "source"}}},
			{Epoch: 1, Views: []store.View{{Topic: "orders", Broker: "broker-a", Queue: id, Side: "source"}}},
			{Epoch: 1, Lanes: []lane.Lane{{Topic: "orders", Source: odd.Queue}}},
		} {
			require.ErrorContains(t, other.Ready(t.Context(), "2", o), "numbers from 0 to 16383")
		}
		require.NoError(t, other.Abort(t.Context(), "2"))

		is := all[0].Replica()
		is.Homes = []store.Home{{Topic: "orders", Broker: "broker-a", Queue: id, Home: "source"}}
		require.ErrorContains(t, is.Numbers(), "numbers from 0 to 16383")
		known := store.Prepared{Views: []store.PreparedView{{TopicQueue: odd}}}
		require.ErrorContains(t, known.Numbers(), "numbers from 0 to 16383")
		require.Len(t, g.table.Topics.Get([]byte("orders")).All(), 1, "none was made")
	}
}
