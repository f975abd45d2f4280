package gateway

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

const (
	codeConsumeStatsForTest = 208 // RequestCode.GET_CONSUME_STATS
	nobodyAt                = "127.0.0.1:1"
)

// sourceWith is a broker of the source with a queue from first to end, and a group's position
// there; -1: none.
func sourceWith(t *testing.T, first, end, position int64) *standIn {
	t.Helper()
	b := newStandIn(t, func(int) bool { return true })
	offset := func(n int64) wire.Reply {
		return wire.Reply{Fields: []string{"offset", strconv.FormatInt(n, 10)}}
	}
	b.answer(remoting.CodeMinOffset, offset(first))
	b.answer(remoting.CodeMaxOffset, offset(end))
	b.answer(remoting.CodeQueryOffset, offset(position))
	if position < 0 {
		b.answer(remoting.CodeQueryOffset, wire.Reply{Code: remoting.QueryNotFound})
	}
	b.answer(remoting.CodeUpdateOffset, wire.Reply{})
	b.answer(remoting.CodePull, wire.Reply{Code: remoting.PullNotFound, Fields: []string{
		"nextBeginOffset", "0", "minOffset", "0", "maxOffset", "0",
	}})
	b.answer(codeConsumeStatsForTest, wire.Reply{Body: []byte(`{"offsetTable":{}}`)})
	b.answer(remoting.CodeLock, wire.Reply{Body: []byte(
		`{"lockOKMQSet":[{"topic":"rocketshift-round","brokerName":"move","queueId":0}]}`)})
	return b
}

// withTarget gives a gateway lanes to a broker of the target at an address, and the topic's queues
// and group billing there. Members ask for offset 500 next.
func (g *Gateway) withTarget(t *testing.T, b *standIn, at string) (q *routing.Queue, v *routing.View) {
	t.Helper()
	cluster := func(name, addr string) *rocketmq.Cluster {
		client := rocketmq.NewClient(rocketmq.Options{})
		t.Cleanup(client.Close)
		c := rocketmq.NewCluster(client, []string{nobodyAt})
		c.Assume(map[string]string{name: addr})
		return c
	}
	g.sides.Source = cluster("broker-a", b.Addr().String())
	g.sides.Migration.Load().TargetCluster = cluster("broker-t", at)
	g.sides.Brokers[routing.Source].Store(&map[string][]string{"broker-a": {b.Addr().String()}})
	g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-t": {at}})
	q = g.table.Topics.Ensure("orders").Queue([]byte("broker-a"), 0)
	if q == nil {
		g.table.Topics.Ensure("orders").Ensure("broker-a", 1)
		q = g.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 0)
	}
	q.SetLane(&lane.Lane{
		Topic: "orders", Source: lane.Queue{Broker: "broker-a"},
		Target: lane.Queue{Broker: "broker-t"},
	})
	g.apply(&store.Outcome{
		Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Queue: 0, Home: "target", Shift: 7}},
		Views: []store.View{
			{
				Group:  "billing",
				Topic:  "orders",
				Broker: "broker-a",
				Queue:  0,
				Side:   "target",
				Shift:  [2]int64{0, 7},
				Proved: 10,
			},
		},
		Authority: "target",
	})
	v = g.table.Groups.Get([]byte("billing")).Of(q)
	goesOnAt(t, v, 500)
	q.Acknowledged(routing.Target, 506)
	g.serving = time.Now().Add(-time.Hour)
	g.table.Topics.Get([]byte("orders")).Since = g.serving.Add(-time.Hour)
	return q, v
}

// without is a move that doesn't ask the target.
func without(kind string) control.Move {
	m := control.Move{
		ID: "move-" + kind, Kind: kind, To: "source", Reason: "the target is dead", By: "alice",
		WithoutTarget: true, Budget: control.Duration(2 * time.Second),
	}
	switch kind {
	case control.KindHome:
		m.Topics = []string{"orders"}
	case control.KindSide:
		m.Groups = []string{"billing"}
	}
	return m
}

func TestAGroupReturnsWithoutTheTargetToThePositionThatTheSourceHas(t *testing.T) {
	for name, c := range map[string]struct {
		first, end, position int64
		goesOn               int64 // at this offset of the source
	}{
		"the one that it has":                  {10, 600, 490, 490},
		"the oldest one, as it has none":       {10, 600, -1, 10},
		"the queue's end, as none is after it": {10, 480, 490, 480},
	} {
		t.Run(name, func(t *testing.T) {
			b := sourceWith(t, c.first, c.end, c.position)
			g := before(t, b)
			q, v := g.withTarget(t, b, nobodyAt)
			if c.position != c.goesOn { // it is committed, and read back
				b.answer(remoting.CodeUpdateOffset, wire.Reply{Code: remoting.SystemError})
				_, err := g.Move(t.Context(), without(control.KindSide))
				require.NoError(t, err)
				require.Equal(t, routing.Target, v.Reads(), "a position that isn't taken is none")
				b.answer(remoting.CodeUpdateOffset, wire.Reply{})
				b.onUpdate(strconv.FormatInt(c.goesOn, 10))
			}
			m := without(control.KindSide)
			m.ID = "again"
			was, err := g.Move(t.Context(), m)
			require.NoError(t, err)
			require.True(t, was.Done, was.Reason)
			require.Equal(t, routing.Source, v.Reads())
			assert.Equal(t, c.goesOn, nativeOf(v, routing.Source, 500), "members ask for 500 next")
			assert.Zero(t, nativeOf(v, routing.Source, 0), "what is in work of before has no place there")
			assert.EqualValues(t, 1, g.moves.epoch.Load())
			assert.Equal(t, routing.Target, q.At(), "homes are moved by themselves")
			kept, err := os.ReadFile(g.state.Path)
			require.NoError(t, err)
			assert.NotContains(t, string(kept), "withoutTarget", "older releases read it")
		})
	}
}

// onUpdate has the broker answer as if a commit had been taken.
func (b *standIn) onUpdate(offset string) {
	b.answer(remoting.CodeQueryOffset, wire.Reply{Fields: []string{"offset", offset}})
}

func TestNobodySkipsWhoAsksForMoreThanAnAnswerHasTold(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	g := before(t, b)
	_, v := g.withTarget(t, b, nobodyAt)
	_, _, is := v.Pull(nil, nil, 520, true)
	require.Equal(t, routing.PullGoes, is)
	was, err := g.Move(t.Context(), without(control.KindSide))
	require.NoError(t, err)
	require.True(t, was.Done, was.Reason)
	assert.EqualValues(t, 490, nativeOf(v, routing.Source, 520))
}

func TestWhereMembersAreIsWaitedForAfterAGatewayHasBegun(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	g := before(t, b)
	_, v := g.withTarget(t, b, nobodyAt)
	goesOnAt(t, v, -1)
	g.serving = time.Now()
	was, err := g.Move(t.Context(), without(control.KindSide))
	require.NoError(t, err)
	require.False(t, was.Done)
	require.Contains(t, was.Reason, "has just begun")
	require.Equal(t, routing.Target, v.Reads())
	g.serving = time.Now().Add(-askedAgain)
	was, err = g.Move(t.Context(), without(control.KindSide))
	require.NoError(t, err)
	require.True(t, was.Done, was.Reason)
}

// Members of a broadcasting group keep their positions themselves: the same message is at the same
// offset afterwards, unless one is further than the source is.
func TestABroadcastingGroupReturnsWithoutTheTarget(t *testing.T) {
	b := sourceWith(t, 0, 600, -1)
	g := before(t, b)
	_, v := g.withTarget(t, b, nobodyAt)
	for next, goesOn := range map[int64]int64{500: 500, 700: 600} {
		is, err := g.without(t.Context(), mustLanes(t, g), v, next, true)
		require.NoError(t, err)
		assert.Equal(t, goesOn, next+is.Shift[routing.Source])
	}
}

func mustLanes(t *testing.T, g *Gateway) replicas.Lanes {
	t.Helper()
	l, err := g.sides.Lanes()
	require.NoError(t, err)
	return l
}

func TestHomesReturnWithoutTheTargetAndWhatLiesThereIsOwed(t *testing.T) {
	b := sourceWith(t, 0, 600, -1)
	g := before(t, b)
	require.NoError(t, g.owing.Load(t.TempDir()))
	q, _ := g.withTarget(t, b, nobodyAt)
	was, err := g.Move(t.Context(), without(control.KindHome))
	require.NoError(t, err)
	require.True(t, was.Done, was.Reason)
	require.Equal(t, routing.Source, q.At())
	require.Nil(t, q.Hold(), "sends go on")
	owed := g.State().Owed
	require.Len(t, owed, 1)
	assert.Equal(t, q.Name(), owed[0].TopicQueue)
	assert.Equal(t, "broker-t", owed[0].Target.Broker)
	assert.EqualValues(t, -1, owed[0].Copied, "no copy was seen")
	assert.EqualValues(t, 507, owed[0].Written)

	var again store.Owed
	require.NoError(t, again.Load(dirOf(g)))
	assert.Len(t, again.All(), 1, "a restart knows it")
	_, err = store.Open(filepath.Dir(g.state.Path))
	require.NoError(t, err)

	back := control.Move{ID: "forward", Kind: control.KindHome, To: "target", Queues: []control.TopicQueue{q.Name()}}
	g.sides.Limits.Store(&map[string]replicas.Limits{"broker-t": {}})
	_, err = g.rounds.Prepare(t.Context(), store.Round{
		ID:     "1",
		Kind:   control.KindHome,
		To:     "target",
		Epoch:  1,
		Budget: control.Duration(time.Second),
		Queues: back.Queues,
	})
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "isn't all copied yet")

	notYet := func(context.Context, *routing.Queue) error { return positions.ErrNotCopiedYet }
	g.payNow(t.Context(), notYet)
	require.Len(t, g.State().Owed, 1)
	g.payNow(t.Context(), func(context.Context, *routing.Queue) error { return nil })
	require.Empty(t, g.State().Owed)
	var paid store.Owed
	require.NoError(t, paid.Load(dirOf(g)))
	require.Empty(t, paid.All())
}

// dirOf is where what is owed to a gateway lies.
func dirOf(g *Gateway) string { return filepath.Dir(g.owing.Path) }

func TestTheAuthorityReturnsWithoutTheTarget(t *testing.T) {
	b := sourceWith(t, 0, 600, -1)
	g := before(t, b)
	g.withTarget(t, b, nobodyAt)
	was, err := g.Move(t.Context(), without(control.KindAuthority))
	require.NoError(t, err)
	require.True(t, was.Done, was.Reason)
	require.Equal(t, routing.Source, g.table.Authority())
}

func TestATargetThatAnswersIsAsked(t *testing.T) {
	for name, says := range map[string]wire.Reply{"well": {}, "by a refusal": {Code: remoting.NoPermission}} {
		for _, kind := range []string{control.KindHome, control.KindSide, control.KindAuthority} {
			t.Run(kind+" "+name, func(t *testing.T) {
				b, there := sourceWith(t, 0, 600, 490), newStandIn(t, func(int) bool { return true })
				there.answer(codeConfig, says)
				g := before(t, b)
				q, v := g.withTarget(t, b, there.Addr().String())
				_, err := g.Move(t.Context(), without(kind))
				require.ErrorIs(t, err, control.ErrRefused)
				require.ErrorContains(t, err, "target broker broker-t at "+there.Addr().String()+" answers")
				require.Equal(t, routing.Target, q.At())
				require.Equal(t, routing.Target, v.Reads())
				require.Equal(t, routing.Target, g.table.Authority())
			})
		}
	}
}

const codeConfig = 26 // RequestCode.GET_BROKER_CONFIG

// A target that takes connections and gives no answer is as dead as one that is gone.
func TestATargetThatIsSilentIsAway(t *testing.T) {
	b, there := sourceWith(t, 0, 600, 490), newStandIn(t, func(int) bool { return false })
	g := before(t, b)
	g.withTarget(t, b, there.Addr().String())
	require.NoError(t, g.targetIsAway(t.Context()))
}

// Moves that wait for the target must not keep one without it waiting.
func TestMovesThatWaitForTheTargetGiveWay(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	g := before(t, b)
	_, v := g.withTarget(t, b, nobodyAt)
	g.moves.one.Lock() // one is under way
	ended := make(chan error, 1)
	go func() {
		_, err := g.Move(t.Context(),
			control.Move{ID: "usual", Kind: control.KindSide, To: "source", Groups: []string{"billing"}})
		ended <- err
	}()
	require.Eventually(t, func() bool {
		g.moves.way.mu.Lock()
		defer g.moves.way.mu.Unlock()
		return len(g.moves.way.all) == 1
	}, patience, time.Millisecond)
	forced := make(chan control.Moved, 1)
	go func() {
		was, _ := g.Move(t.Context(), without(control.KindSide))
		forced <- was
	}()
	require.Eventually(t, func() bool { // it has told the others
		g.awayTarget.mu.Lock()
		defer g.awayTarget.mu.Unlock()
		return !g.awayTarget.seen.IsZero()
	}, patience, time.Millisecond)
	g.moves.one.Unlock()
	was := <-forced
	require.True(t, was.Done, was.Reason)
	require.ErrorIs(t, <-ended, control.ErrRefused)
	require.Equal(t, routing.Source, v.Reads())
}

func TestMovesWithoutTheTargetAreToTheSourceAndSayWhoAndWhy(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	g := before(t, b)
	g.withTarget(t, b, nobodyAt)
	for says, change := range map[string]func(*control.Move){
		"to the source only":   func(m *control.Move) { m.To = "target" },
		"needs by and reason":  func(m *control.Move) { m.By = "" },
		"needs by and reason:": func(m *control.Move) { m.Reason = "" },
	} {
		m := without(control.KindSide)
		change(&m)
		_, err := g.Move(t.Context(), m)
		require.ErrorIs(t, err, control.ErrRefused)
		require.ErrorContains(t, err, says)
	}
	_, err := g.rounds.Prepare(t.Context(), store.Round{
		ID:            "1",
		Kind:          control.KindSide,
		To:            "target",
		Group:         "billing",
		WithoutTarget: true,
		Budget:        control.Duration(time.Second),
	})
	require.ErrorContains(t, err, "can't go to it")
}

// pairBefore are two gateways of a migration before a broker of the source, with everything on the
// target.
func pairBefore(
	t *testing.T,
	b *standIn,
	at [2]string,
) (all [2]*Gateway, queues [2]*routing.Queue, views [2]*routing.View) {
	t.Helper()
	all, _ = idlePair(t)
	for i, g := range all {
		queues[i], views[i] = g.withTarget(t, b, at[i])
	}
	return all, queues, views
}

func TestTwoGatewaysReturnAsOneWithoutTheTarget(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	all, queues, views := pairBefore(t, b, [2]string{nobodyAt, nobodyAt})
	goesOnAt(t, views[1], 510) // its members are further
	for _, kind := range []string{control.KindAuthority, control.KindHome, control.KindSide} {
		m := without(kind)
		id := m.ID
		if kind == control.KindSide {
			id += "/billing"
		}
		b.answer(remoting.CodeLock, wire.Reply{Body: []byte(
			`{"lockOKMQSet":[{"topic":"rocketshift-round","brokerName":"` + id + `","queueId":0}]}`)})
		was, err := all[0].Move(t.Context(), m)
		require.NoError(t, err)
		require.True(t, was.Done, was.Reason)
	}
	for i, g := range all {
		require.Eventually(t, func() bool { return g.moves.epoch.Load() == 3 }, patience, time.Millisecond)
		assert.Equal(t, routing.Source, queues[i].At())
		assert.Equal(t, routing.Source, views[i].Reads())
		assert.Equal(t, routing.Source, g.table.Authority())
		assert.EqualValues(t, 490, nativeOf(views[i], routing.Source, 510), "whoever is furthest skips nothing")
		assert.EqualValues(t, 480, nativeOf(views[i], routing.Source, 500))
		assert.Len(t, g.State().Owed, 1)
	}
	assert.Len(t, control.Sum([]control.State{all[0].State(), all[1].State()}).Owed, 1)
	assert.Len(t, all[0].Replica().Owed, 1, "one that has missed it takes it over")
}

func TestAGatewayThatReachesTheTargetRefusesForAll(t *testing.T) {
	there := newStandIn(t, func(int) bool { return true })
	there.answer(codeConfig, wire.Reply{})
	b := sourceWith(t, 0, 600, 490)
	all, queues, views := pairBefore(t, b, [2]string{nobodyAt, there.Addr().String()})
	for _, kind := range []string{control.KindAuthority, control.KindHome, control.KindSide} {
		was, err := all[0].Move(t.Context(), without(kind))
		require.NoError(t, err)
		require.False(t, was.Done)
		require.Contains(t, was.Reason, "answers gateway b")
	}
	for i, g := range all {
		assert.Equal(t, routing.Target, queues[i].At())
		assert.Equal(t, routing.Target, views[i].Reads())
		assert.Equal(t, routing.Target, g.table.Authority())
		assert.Empty(t, g.State().Owed)
	}
}

func TestWhoMissedAReturnTakesOverWhatIsOwed(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	all, queues, _ := pairBefore(t, b, [2]string{nobodyAt, nobodyAt})
	all[0].apply(
		&store.Outcome{
			Epoch: 1,
			Homes: []store.Home{{Topic: "orders", Broker: "broker-a", Queue: 0, Home: "source", Shift: 7}},
		},
	)
	all[0].owe([]control.OwedQueue{{TopicQueue: queues[0].Name(), Copied: 42}})
	all[1].sync(t.Context())
	require.Equal(t, routing.Source, queues[1].At())
	owed := all[1].State().Owed
	require.Len(t, owed, 1)
	assert.EqualValues(t, 42, owed[0].Copied)
}

func TestAReturnWithoutTheTargetIsAuthorisedAndOnRecord(t *testing.T) {
	b := sourceWith(t, 0, 600, 490)
	g := before(t, b)
	q, _ := g.withTarget(t, b, nobodyAt)
	controls, err := controlserver.New(g, testToken)
	require.NoError(t, err)
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = controls.Serve(ctx, at) }()
	_, err = control.NewClient(at.Addr().String(), control.Access{Token: "another-token-altogether"}).
		Move(ctx, without(control.KindHome))
	require.ErrorContains(t, err, "token")
	require.Equal(t, routing.Target, q.At())
	was, err := control.NewClient(at.Addr().String(), control.Access{Token: testToken}).
		Move(ctx, without(control.KindHome))
	require.NoError(t, err)
	require.True(t, was.Done, was.Reason)
	about := map[string]string{}
	for _, a := range controlserver.MoveAttrs(without(control.KindHome)) {
		about[a.Key] = a.Value.String()
	}
	assert.Equal(t, "alice", about["by"])
	assert.Equal(t, "true", about["withoutTarget"])
}
