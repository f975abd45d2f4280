package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
	"rocketshift/replicator"
)

func TestHomesMoveOnlyWhereBrokersTakeWhatIsSent(t *testing.T) {
	g := newGuarded(t, "applications: []")
	g.gateway.keys.file = ""
	g.gateway.topics.ensure("orders").ensure("broker-a", 1)
	q := g.gateway.topics.get([]byte("orders")).queue([]byte("broker-a"), 0)
	q.lane.Store(&replicator.Lane{Target: replicator.Queue{Broker: "broker-t"}})
	configured := func(config map[string]string) {
		g.gateway.limits.Store(&map[string]limits{"broker-t": limitsOf(config)})
	}
	round := Round{Kind: KindHome, To: "target", Queues: []TopicQueue{q.name()}}
	send := func(code int, properties, body string) {
		t.Helper()
		g.source.answer(codeSendV2, wire.Reply{Code: code, Fields: []string{
			"msgId", "x", "queueId", "0", "queueOffset", "5000",
		}})
		g.request(codeSendV2, 0, unsignedBy, []string{
			"a", "billing", "b", "orders", "e", "0", "j", "16", "l", "16", "i", properties,
		}, body)
		is, _ := g.answer()
		require.Equal(t, code, is)
	}
	takes := func() {
		t.Helper()
		inexact, err := g.gateway.takesSends(round)
		require.NoError(t, err)
		require.Empty(t, inexact)
	}
	const half = "TRAN_MSG\x01true\x02"
	strict := map[string]string{
		"rejectTransactionMessage": "true", "maxMessageSize": "1024", "brokerPermission": "6",
	}
	takes() // nothing is known of the target yet
	g.gateway.limits.Store(&map[string]limits{"broker-t": {unread: "10.0.0.9:10911: can't be reached"}})
	_, err := g.gateway.takesSends(round)
	require.ErrorContains(t, err, "isn't known yet: 10.0.0.9:10911: can't be reached")
	require.NotErrorIs(t, err, ErrRefused, "it is tried again")
	configured(strict)
	send(success, "KEYS\x01TRAN_MSG\x02", "plain")
	send(systemError, half, strings.Repeat("x", 2000))
	takes() // what the source refuses nobody sends

	for _, c := range []struct{ properties, body, cause, line string }{
		{"", strings.Repeat("x", 1025), "takes 1024 bytes at most, and producers send 1025", "maxMessageSize=1025"},
		{half, "half", "takes no transactions", "rejectTransactionMessage=false"},
	} {
		send(success, c.properties, c.body)
		_, err := g.gateway.takesSends(round)
		require.ErrorIs(t, err, ErrRefused)
		require.ErrorContains(t, err, "topic orders: target broker broker-t "+c.cause)
		require.ErrorContains(t, err, "write "+c.line+" into its configuration")
	}
	accepted := round
	accepted.Accept = []string{"orders"}
	inexact, err := g.gateway.takesSends(accepted)
	require.NoError(t, err, "a person takes it")
	assert.Len(t, inexact, 1)
	back := round
	back.To = "source"
	_, err = g.gateway.takesSends(back)
	require.NoError(t, err, "the way back is open")
	_, err = local{g.gateway}.prepare(t.Context(), Round{
		ID: "r", Kind: KindHome, To: "target", Budget: Duration(usualBudget), Queues: round.Queues,
	})
	require.ErrorContains(t, err, "takes no transactions", "nor when another gateway leads")

	open := map[string]string{"maxMessageSize": "4096", "messageDelayLevel": "1s 5s 10s", "timerWheelEnable": "true", "timerMaxDelaySec": "60"}
	configured(open)
	here := func(levels string) {
		g.gateway.limitsHere.Store(&map[string]limits{"broker-a": limitsOf(map[string]string{"messageDelayLevel": levels})})
	}
	here("7s 5s 10s 30s")
	send(success, "KEYS\x01DELAY\x02", "not delayed")
	send(success, "DELAY\x012\x02", "by the level that is alike")
	send(success, "TIMER_DELAY_SEC\x0160\x02", "as long as it may")
	takes()
	for _, c := range []struct{ properties, cause, line string }{
		{"DELAY\x019\x02", "holds messages of delay level 9 back for 10 s, the source for 30 s", "messageDelayLevel=7s 5s 10s 30s"},
		{"DELAY\x011\x02", "holds messages of delay level 1 back for 1 s, the source for 7 s", "messageDelayLevel=7s 5s 10s 30s"},
		{"TIMER_DELAY_MS\x0161000\x02", "takes timers of 60 s at most, and producers send 61", "timerMaxDelaySec=61"},
	} {
		send(success, c.properties, "late")
		_, err := g.gateway.takesSends(round)
		require.ErrorIs(t, err, ErrRefused)
		require.ErrorContains(t, err, "topic orders: target broker broker-t "+c.cause)
		require.ErrorContains(t, err, "write "+c.line+" into its configuration")
	}
	open["timerWheelEnable"] = "false"
	configured(open)
	_, err = g.gateway.takesSends(round)
	require.ErrorContains(t, err, "takes no timers, which producers send: write timerWheelEnable=true")
	open["timerWheelEnable"], open["timerMaxDelaySec"], open["messageDelayLevel"] = "true", "600", "7s 5s 10s 30s"
	configured(open)
	takes()
	configured(map[string]string{"rejectTransactionMessage": "false", "maxMessageSize": "4096", "brokerPermission": "4"})
	_, err = g.gateway.takesSends(round)
	require.ErrorContains(t, err, "write brokerPermission=6")
	configured(map[string]string{"rejectTransactionMessage": "false", "maxMessageSize": "4096"})
	takes()
}
