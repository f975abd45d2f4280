package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// A client that invents groups gets its answers, takes no more memory than there is for views, and
// costs known groups nothing; those for which there is no room can move all the same.
func TestGroupsThatClientsInventHaveBounds(t *testing.T) {
	const answer = `{"code":19,"extFields":{"suggestWhichBrokerId":"0","nextBeginOffset":"2000","minOffset":"0","maxOffset":"2000"},"flag":1,"language":"JAVA","opaque":1000000,"serializeTypeCurrentRPC":"JSON","version":407}`
	p := newPassage(t, answer, nil)
	p.view.Set(routing.ViewState{Side: routing.Target, Shift: [2]int64{routing.Target: 1000}}) // billing has moved
	groups := &p.gateway.table.Groups
	groups.Room.Most = 3
	long := strings.Repeat("x", bodies.LongestGroup+1)
	assert.EqualValues(t, 2000, p.next(remoting.CodePull, long, 5))
	require.ErrorIs(t, groups.MayFollow(long, routing.Target), control.ErrRefused)
	for i := range 2 { // for which there is room besides billing
		assert.EqualValues(t, 2000, p.next(remoting.CodePull, fmt.Sprint("invented-", i), 5))
	}
	one := groups.Of(routing.Wanted{Group: "invented-1", Queue: p.queue})
	require.NotNil(t, one)
	assert.EqualValues(t, 2000, one.Progress().Next, "where it goes on is known from its first pull on")
	for i := range 100 {
		assert.EqualValues(t, 2000, p.next(remoting.CodePull, fmt.Sprint("more-", i), 5), "as the source has it")
		p.next(remoting.CodeUpdateOffset, fmt.Sprint("more-", i), 5)
		p.next(remoting.CodeQueryOffset, fmt.Sprint("more-", i), 5)
	}
	assert.Len(t, groups.All(), 3)
	assert.EqualValues(t, 3, groups.Room.Made.Load())
	assert.EqualValues(t, 1000, p.next(remoting.CodePull, "billing", 5), "as the group sees the target")
	assert.EqualValues(t, 2000, p.next(remoting.CodePull, "invented-1", 5))
	require.NoError(t, groups.MayFollow("more-7", routing.Target))
	groups.Get([]byte("more-7")).Of(p.queue)
	assert.Len(t, groups.All(), 4, "rounds make the views that they need")
}

// Who may not ask takes no room from those who may.
func TestRefusedRequestsTakeNoRoom(t *testing.T) {
	g := newGuarded(t, appKeys)
	q := g.queue(routing.Source).Queue
	made := g.gateway.table.Groups.Room.Made.Load()
	asks := func(code int, group string) {
		fields := []string{
			"consumerGroup", group, "topic", "orders", "queueId", "0", "queueOffset", "5", "sysFlag", "1",
			"commitOffset", "7",
		}
		g.request(code, 0, stranger, fields, "")
		g.answer()
	}
	for _, code := range []int{remoting.CodePull, remoting.CodeQueryOffset, remoting.CodeUpdateOffset} {
		g.source.answer(code, wire.Reply{Code: remoting.SystemError, Remark: "No acl config for stranger"})
		asks(code, fmt.Sprint("refused-", code))
	}
	assert.Equal(t, made, g.gateway.table.Groups.Room.Made.Load())

	g.source.answer(remoting.CodePull, wire.Reply{
		Code:   remoting.PullNotFound,
		Fields: []string{"nextBeginOffset", "9", "minOffset", "0", "maxOffset", "9"},
	})
	g.source.answer(remoting.CodeQueryOffset, wire.Reply{Code: remoting.QueryNotFound})
	g.source.answer(remoting.CodeUpdateOffset, wire.Reply{})
	for code, want := range map[int][2]int64{remoting.CodePull: {9, 7}, remoting.CodeQueryOffset: {-1, -1}, remoting.CodeUpdateOffset: {-1, 7}} {
		name := fmt.Sprint("taken-", code)
		asks(code, name)
		v := g.gateway.table.Groups.Of(routing.Wanted{Group: name, Queue: q})
		require.NotNil(t, v, code)
		is := v.Progress()
		assert.Equal(t, want, [2]int64{is.Next, is.Kept}, code)
	}
}

// A pull that was under way before its group had a view of the queue is stopped by a move as all
// others are.
func TestAMoveStopsPullsThatNoViewKnowsOf(t *testing.T) {
	g := newGuarded(t, appKeys)
	q := g.queue(routing.Source).Queue
	g.source.mu.Lock()
	delete(g.source.answers, remoting.CodePull)
	g.source.mu.Unlock()
	fields := []string{"consumerGroup", "new", "topic", "orders", "queueId", "0", "queueOffset", "5", "sysFlag", "0"}
	g.request(remoting.CodePull, 0, rightly, fields, "")
	require.Equal(t, remoting.CodePull, g.source.next(t).code)
	v := g.gateway.table.Groups.Get([]byte("new")).Of(q)
	moving, err := g.gateway.clients.registry.stopPulls([]*routing.View{v}, routing.Target)
	require.NoError(t, err)
	require.Len(t, moving, 1)
	is, _ := g.answer()
	assert.Equal(t, remoting.PullRetryImmediately, is)

	g.request(remoting.CodePull, 0, rightly, fields, "") // it waits for the move
	w := routing.Wanted{Group: "new", Queue: q}
	var f wire.Frame
	require.NoError(t, f.Parse(wire.AppendRequest(nil, remoting.CodePull, 77, 0, fields, nil)))
	g.session.passNew(&f, &w, call{code: remoting.CodePull, offset: 5}) // as if it had just come before it
	g.opaque = 77
	is, _ = g.answer()
	assert.Equal(t, remoting.PullRetryImmediately, is)
}

// Which topics a group has positions on is asked for the group alone: all positions of a broker may
// be more than an answer holds.
func TestAGroupsPositionsAreAskedForByItself(t *testing.T) {
	two := newTwoSides(t)
	two.table.Topics.Ensure("orders").Ensure("broker-a", 1)
	two.table.Topics.Ensure("other").Ensure("broker-a", 1)
	two.brokers[routing.Source].answer(codeConsumeStats, wire.Reply{Body: []byte(
		`{"consumeTps":0.0,"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"orders"}:{"brokerOffset":5,"consumerOffset":3,"lastTimestamp":0}}}`,
	)})
	_, err := two.viewsOf(t.Context(), "billing", routing.Source)
	require.NoError(t, err)
	one, _ := two.table.Groups.Known([]byte("billing"))
	var topics []string
	for _, v := range one.All() {
		topics = append(topics, v.Queue.Topic)
	}
	assert.Contains(t, topics, "orders")
	assert.NotContains(t, topics, "other")
}

// A view that a call is open about stays.
func TestAViewThatAClientWaitsForIsBusy(t *testing.T) {
	g := newGuarded(t, appKeys)
	v := g.queue(routing.Source)
	g.session.open[99] = call{code: remoting.CodePull, view: v}
	assert.Equal(t, map[*routing.View]bool{v: true}, g.gateway.clients.busyViews())
	delete(g.session.open, 99)
	assert.Empty(t, g.gateway.clients.busyViews())
}
