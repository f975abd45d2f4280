package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

func TestHomesMoveOnlyWhereBrokersTakeWhatIsSent(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.gateway.table.Topics.Ensure("orders").Ensure("broker-a", 1)
	q := g.gateway.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 0)
	q.SetLane(&lane.Lane{Target: lane.Queue{Broker: "broker-t"}})
	configured := func(config map[string]string) {
		g.gateway.sides.Limits.Store(&map[string]replicas.Limits{"broker-t": replicas.LimitsOf(config)})
	}
	round := store.Round{Kind: control.KindHome, To: "target", Queues: []control.TopicQueue{q.Name()}}
	send := func(code int, properties, body string) {
		t.Helper()
		g.source.answer(remoting.CodeSendV2, wire.Reply{Code: code, Fields: []string{
			"msgId", "x", "queueId", "0", "queueOffset", "5000",
		}})
		g.request(remoting.CodeSendV2, 0, unsignedBy, []string{
			"a", "billing", "b", "orders", "e", "0", "j", "16", "l", "16", "i", properties,
		}, body)
		is, _ := g.answer()
		require.Equal(t, code, is)
	}
	takes := func() {
		t.Helper()
		inexact, err := g.gateway.checks.TakesSends(round)
		require.NoError(t, err)
		require.Empty(t, inexact)
	}
	const half = "TRAN_MSG\x01true\x02"
	strict := map[string]string{
		"rejectTransactionMessage": "true", "maxMessageSize": "1024", "brokerPermission": "6",
	}
	unknown := func(says string) {
		t.Helper()
		_, err := g.gateway.checks.TakesSends(round)
		require.ErrorIs(t, err, control.ErrRefused)
		require.ErrorContains(t, err, "isn't known whether the target takes what producers send: "+
			"topic orders: target broker broker-t "+says)
		require.ErrorContains(t, err, "or accept the topics by their names")
		taken := round
		taken.Accept = []string{"orders"}
		inexact, err := g.gateway.checks.TakesSends(taken)
		require.NoError(t, err)
		require.Len(t, inexact, 1)
		require.Contains(t, inexact[0], says)
	}
	unknown("wasn't asked yet")
	g.gateway.sides.Limits.Store(&map[string]replicas.Limits{"broker-t": {Unknown: "code 16: no right"}})
	unknown("doesn't say how it is configured: code 16: no right")
	configured(strict)
	send(remoting.Success, "KEYS\x01TRAN_MSG\x02", "plain")
	send(remoting.SystemError, half, strings.Repeat("x", 2000))
	takes() // what the source refuses nobody sends

	for _, c := range []struct{ properties, body, cause, line string }{
		{"", strings.Repeat("x", 1025), "takes 1024 bytes at most, and producers send 1025", "maxMessageSize=1025"},
		{half, "half", "takes no transactions", "rejectTransactionMessage=false"},
	} {
		send(remoting.Success, c.properties, c.body)
		_, err := g.gateway.checks.TakesSends(round)
		require.ErrorIs(t, err, control.ErrRefused)
		require.ErrorContains(t, err, "topic orders: target broker broker-t "+c.cause)
		require.ErrorContains(t, err, "write "+c.line+" into its configuration")
	}
	accepted := round
	accepted.Accept = []string{"orders"}
	inexact, err := g.gateway.checks.TakesSends(accepted)
	require.NoError(t, err, "a person takes it")
	assert.Len(t, inexact, 1)
	back := round
	back.To = "source"
	_, err = g.gateway.checks.TakesSends(back)
	require.NoError(t, err, "the way back is open")
	_, err = g.gateway.rounds.Prepare(t.Context(), store.Round{
		ID: "r", Kind: control.KindHome, To: "target", Budget: control.Duration(control.UsualBudget),
		Queues: round.Queues,
	})
	require.ErrorContains(t, err, "takes no transactions", "nor when another gateway leads")

	open := map[string]string{
		"maxMessageSize":    "4096",
		"messageDelayLevel": "1s 5s 10s",
		"timerWheelEnable":  "true",
		"timerMaxDelaySec":  "60",
	}
	configured(open)
	here := func(levels string) {
		g.gateway.sides.LimitsHere.Store(
			&map[string]replicas.Limits{"broker-a": replicas.LimitsOf(map[string]string{"messageDelayLevel": levels})},
		)
	}
	here("7s 5s 10s 30s")
	send(remoting.Success, "KEYS\x01DELAY\x02", "not delayed")
	send(remoting.Success, "DELAY\x012\x02", "by the level that is alike")
	send(remoting.Success, "TIMER_DELAY_SEC\x0160\x02", "as long as it may")
	takes()
	for _, c := range []struct{ properties, cause, line string }{
		{"DELAY\x019\x02", "holds messages of delay level 9 back for 10 s, the source for 30 s", "messageDelayLevel=7s 5s 10s 30s"},
		{"DELAY\x011\x02", "holds messages of delay level 1 back for 1 s, the source for 7 s", "messageDelayLevel=7s 5s 10s 30s"},
		{"TIMER_DELAY_MS\x0161000\x02", "takes timers of 60 s at most, and producers send 61", "timerMaxDelaySec=61"},
	} {
		send(remoting.Success, c.properties, "late")
		_, err := g.gateway.checks.TakesSends(round)
		require.ErrorIs(t, err, control.ErrRefused)
		require.ErrorContains(t, err, "topic orders: target broker broker-t "+c.cause)
		require.ErrorContains(t, err, "write "+c.line+" into its configuration")
	}
	open["timerWheelEnable"] = "false"
	configured(open)
	_, err = g.gateway.checks.TakesSends(round)
	require.ErrorContains(t, err, "takes no timers, which producers send: write timerWheelEnable=true")
	open["timerWheelEnable"], open["timerMaxDelaySec"], open["messageDelayLevel"] = "true", "600", "7s 5s 10s 30s"
	configured(open)
	takes()
	configured(
		map[string]string{"rejectTransactionMessage": "false", "maxMessageSize": "4096", "brokerPermission": "4"},
	)
	_, err = g.gateway.checks.TakesSends(round)
	require.ErrorContains(t, err, "write brokerPermission=6")
	configured(map[string]string{"rejectTransactionMessage": "false", "maxMessageSize": "4096"})
	takes()
}

// Brokers behind a proxy never say what they take: that is said, and holds nothing up.
func TestWhatBrokersBehindAProxyTakeIsSaidAsUnknown(t *testing.T) {
	g := alone(t)
	g.sides.Migration.Store(&replicas.Migration{Migration: control.Migration{Name: "m", Proxy: "127.0.0.1:1"}})
	t1 := g.table.Topics.Ensure("orders")
	t1.Ensure("broker-a", 2)
	var queues []control.TopicQueue
	for _, q := range t1.All() {
		q.SetLane(&lane.Lane{Target: lane.Queue{Broker: "broker-t"}})
		queues = append(queues, q.Name())
	}
	inexact, err := g.checks.TakesSends(store.Round{Kind: control.KindHome, To: "target", Queues: queues})
	require.NoError(t, err)
	require.Equal(
		t,
		[]string{
			"what target broker broker-t takes of what producers send isn't known: it is behind a proxy, " +
				"which doesn't say",
		},
		inexact,
	)
}

// Brokers are asked at the same time, and one that doesn't answer keeps no other one from being
// known.
func TestBrokersSayTogetherWhatTheyTake(t *testing.T) {
	all := func(int) bool { return true }
	g := alone(t)
	names := map[string]string{}
	for i := range 4 {
		b := newStandIn(t, all)
		if i < 2 {
			b.answer(codeConfig, wire.Reply{Body: []byte("maxMessageSize=77\n")})
		} // else it answers nothing
		names[fmt.Sprint("broker-", i)] = b.Addr().String()
	}
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	c := rocketmq.NewCluster(client, []string{nobodyAt})
	c.Assume(names)
	begin := time.Now()
	replicas.LookAtLimits(t.Context(), c, &g.sides.Limits)
	require.Less(t, time.Since(begin), 2*replicas.LimitsTime, "not one after the other")
	is := *g.sides.Limits.Load()
	for i := range 4 {
		one := is[fmt.Sprint("broker-", i)]
		assert.Equal(t, i >= 2, one.Unknown != "", "broker-%d: %+v", i, one)
	}
	assert.EqualValues(t, 77, is["broker-0"].Longest)

	was := map[string]replicas.Limits{"broker-2": {Longest: 5}}
	g.sides.Limits.Store(&was)
	replicas.LookAtLimits(t.Context(), c, &g.sides.Limits)
	assert.Equal(t, replicas.Limits{Longest: 5}, (*g.sides.Limits.Load())["broker-2"], "what it said before counts")
}
