package gateway

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A producer whose key has no right to send on the target was told so by its sends, after the move.
func TestHomesMoveOnlyWhereProducersMaySend(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	round := store.Round{
		Kind:   control.KindHome,
		To:     "target",
		Queues: []control.TopicQueue{g.queue(routing.Source).Queue.Name()},
	}
	illegal := wire.Reply{
		Code:   remoting.SystemError,
		Remark: "request queueId[2147483647] is illegal, TopicConfig [topicName=orders",
	}
	denied := wire.Reply{Code: remoting.NoPermission, Remark: "app-there has no permission for Topic:orders\n  at x"}
	g.gateway.sides.Limits.Store(&map[string]replicas.Limits{"broker-t": {}})
	all := func() (inexact []string, err error) { return g.gateway.takesAll(t.Context(), round) }

	g.target.answer(remoting.CodeSendV2, denied)
	_, err := all()
	require.NoError(t, err, "nobody sends")
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, requests()[remoting.CodeHeartbeat].body)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is)
	g.source.answer(remoting.CodeSendV2, wire.Reply{Fields: []string{"msgId", "x", "queueId", "0", "queueOffset", "5"}})
	g.request(remoting.CodeSendV2, 0, rightly,
		[]string{"a", "shop", "b", "orders", "e", "0", "j", "0", "l", "16", "i", ""}, "order")
	is, _ = g.answer()
	require.Equal(t, remoting.Success, is)

	_, err = all()
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err,
		"which sends to topic orders: target broker broker-t: code 16: app-there has no permission for "+
			"Topic:orders; grant it there")
	tried := g.target.next(t)
	for tried.code == remoting.CodeHeartbeat {
		tried = g.target.next(t)
	}
	assert.Equal(t, remoting.CodeSendV2, tried.code)
	assert.Equal(t, "2147483647", tried.fields["e"], "no queue has that number, so nothing is stored")
	assert.Equal(t, "app-there", tried.fields[wire.FieldAccessKey], "it is tried by the producer's own key")

	round.Accept = []string{"orders"}
	inexact, err := all()
	require.NoError(t, err)
	assert.Len(t, inexact, 1)
	round.Accept = nil
	g.target.answer(remoting.CodeSendV2, illegal)
	inexact, err = all()
	require.NoError(t, err)
	assert.Empty(t, inexact)
	g.target.answer(remoting.CodeSendV2, wire.Reply{Code: remoting.SystemBusy, Remark: "[REJECTREQUEST]system busy"})
	_, err = all()
	require.Error(t, err)
	require.NotErrorIs(t, err, control.ErrRefused, "it isn't known, and is tried again")
	g.target.answer(remoting.CodeSendV2, denied)
	round.To = "source"
	_, err = all()
	require.NoError(t, err, "the way back is open")
}

// Answers to requests go to the target's reply topic when the source is gone.
func TestGroupsMoveOnlyWhereTheirMembersMayAnswer(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.gateway.sides.Clusters[routing.Target].Learn([]rocketmq.Node{{Cluster: "New", Name: "broker-t"}})
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, requests()[remoting.CodeHeartbeat].body)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is)
	g.target.answer(remoting.CodeReplyV2,
		wire.Reply{Code: remoting.NoPermission, Remark: "no permission for New_REPLY_TOPIC"})
	try := func(accept ...string) ([]string, error) {
		return g.gateway.tryGroup(t.Context(), "billing", routing.Target, accept)
	}
	_, err := try()
	require.NoError(t, err, "it has answered nothing")

	g.session.replied.Store(true)
	_, err = try()
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err,
		"which answers requests: target broker broker-t: code 16: no permission for New_REPLY_TOPIC")
	inexact, err := try("billing")
	require.NoError(t, err)
	assert.Len(t, inexact, 1)
	_, err = g.gateway.tryGroup(t.Context(), "billing", routing.Source, nil)
	require.NoError(t, err, "the way back is open")
	g.target.answer(remoting.CodeReplyV2,
		wire.Reply{Code: remoting.SystemError, Remark: "request queueId[2147483647] is illegal"})
	_, err = try()
	require.NoError(t, err)
}

// readsAlone makes the application's account on a 5.3.3 broker one that may read, and wants its
// home to stay; then one that may do everything.
func (r *rig) readsAlone(broker, topic, group string, problem func() string) {
	r.Helper()
	auth := func(code int, fields map[string]string, body any) {
		got, err := r.target.Client().
			Call(r.ctx, broker, &remoting.Command{Code: code, Fields: fields, Body: jsonOf(body)})
		require.NoError(r, err)
		require.Equal(r, remoting.Success, got.Code, got.Remark)
	}
	user := func(code int, kind string) {
		auth(code, map[string]string{"username": "orders-there"}, map[string]string{
			"username": "orders-there", "password": "there-secret", "userType": kind, "userStatus": "enable",
		})
	}
	const createUser, updateUser, createACL = 3001, 3002, 3006 // AUTH_* of RequestCode, 5.3.3
	user(createUser, "Normal")
	var entries []any
	for _, resource := range []string{"Topic:" + topic, "Group:" + group, "Topic:" + rocketmq.RetryTopic(group)} {
		entries = append(entries, map[string]any{"resource": resource, "actions": []string{"Sub"}, "decision": "Allow"})
	}
	auth(createACL, map[string]string{"subject": "User:orders-there"}, map[string]any{
		"subject": "User:orders-there", "policies": []any{map[string]any{"policyType": "Custom", "entries": entries}},
	})
	r.await("the target takes it as a member", problem)
	home := control.Move{
		ID:     "may not send",
		Kind:   control.KindHome,
		To:     "target",
		Topics: []string{topic},
		Budget: control.Duration(control.UsualBudget),
	}
	_, err := r.gateway.Move(r.ctx, home)
	require.ErrorIs(r, err, control.ErrRefused)
	require.ErrorContains(r, err, "sends to topic "+topic+": target broker")
	r.Log(err)
	user(updateUser, "Super")
	r.await("the target lets it send", func() string {
		tries := r.gateway.sendTries([]string{topic})
		if len(tries) == 0 {
			return "nobody sends"
		}
		refusals, err := r.gateway.trySends(r.ctx, tries)
		return textOf(err) + strings.Join(refusals, "; ")
	})
}

func TestCallsStaySmall(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(call{}), uintptr(128), "a larger one costs an allocation each")
}
