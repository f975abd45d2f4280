package gateway

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

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
	p.view.side, p.view.shift[routing.Target] = routing.Target, 1000 // billing has moved
	groups := &p.gateway.table.groups
	groups.room.most = 3
	long := strings.Repeat("x", bodies.LongestGroup+1)
	assert.EqualValues(t, 2000, p.next(remoting.CodePull, long, 5))
	require.ErrorIs(t, groups.mayFollow(long, routing.Target), control.ErrRefused)
	for i := range 2 { // for which there is room besides billing
		assert.EqualValues(t, 2000, p.next(remoting.CodePull, fmt.Sprint("invented-", i), 5))
	}
	one := groups.of(wanted{"invented-1", p.queue})
	require.NotNil(t, one)
	assert.EqualValues(t, 2000, one.next, "where it goes on is known from its first pull on")
	for i := range 100 {
		assert.EqualValues(t, 2000, p.next(remoting.CodePull, fmt.Sprint("more-", i), 5), "as the source has it")
		p.next(remoting.CodeUpdateOffset, fmt.Sprint("more-", i), 5)
		p.next(remoting.CodeQueryOffset, fmt.Sprint("more-", i), 5)
	}
	assert.Len(t, groups.all(), 3)
	assert.EqualValues(t, 3, groups.room.made.Load())
	assert.EqualValues(t, 1000, p.next(remoting.CodePull, "billing", 5), "as the group sees the target")
	assert.EqualValues(t, 2000, p.next(remoting.CodePull, "invented-1", 5))
	require.NoError(t, groups.mayFollow("more-7", routing.Target))
	groups.get([]byte("more-7")).of(p.queue)
	assert.Len(t, groups.all(), 4, "rounds make the views that they need")
}

// Who may not ask takes no room from those who may.
func TestRefusedRequestsTakeNoRoom(t *testing.T) {
	g := newGuarded(t, appKeys)
	q := g.queue(routing.Source).queue
	made := g.gateway.table.groups.room.made.Load()
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
	assert.Equal(t, made, g.gateway.table.groups.room.made.Load())

	g.source.answer(remoting.CodePull, wire.Reply{
		Code:   remoting.PullNotFound,
		Fields: []string{"nextBeginOffset", "9", "minOffset", "0", "maxOffset", "9"},
	})
	g.source.answer(remoting.CodeQueryOffset, wire.Reply{Code: remoting.QueryNotFound})
	g.source.answer(remoting.CodeUpdateOffset, wire.Reply{})
	for code, want := range map[int][2]int64{remoting.CodePull: {9, 7}, remoting.CodeQueryOffset: {-1, -1}, remoting.CodeUpdateOffset: {-1, 7}} {
		name := fmt.Sprint("taken-", code)
		asks(code, name)
		v := g.gateway.table.groups.of(wanted{name, q})
		require.NotNil(t, v, code)
		v.mu.Lock()
		assert.Equal(t, want, [2]int64{v.next, v.kept}, code)
		v.mu.Unlock()
	}
}

// A pull that was under way before its group had a view of the queue is stopped by a move as all
// others are.
func TestAMoveStopsPullsThatNoViewKnowsOf(t *testing.T) {
	g := newGuarded(t, appKeys)
	q := g.queue(routing.Source).queue
	g.source.mu.Lock()
	delete(g.source.answers, remoting.CodePull)
	g.source.mu.Unlock()
	fields := []string{"consumerGroup", "new", "topic", "orders", "queueId", "0", "queueOffset", "5", "sysFlag", "0"}
	g.request(remoting.CodePull, 0, rightly, fields, "")
	require.Equal(t, remoting.CodePull, g.source.next(t).code)
	v := g.gateway.table.groups.get([]byte("new")).of(q)
	moving, err := g.gateway.registry.stopPulls([]*view{v}, routing.Target)
	require.NoError(t, err)
	require.Len(t, moving, 1)
	is, _ := g.answer()
	assert.Equal(t, remoting.PullRetryImmediately, is)

	g.request(remoting.CodePull, 0, rightly, fields, "") // it waits for the move
	w := wanted{"new", q}
	var f wire.Frame
	require.NoError(t, f.Parse(wire.AppendRequest(nil, remoting.CodePull, 77, 0, fields, nil)))
	g.session.passNew(&f, &w, call{code: remoting.CodePull, offset: 5}) // as if it had just come before it
	g.opaque = 77
	is, _ = g.answer()
	assert.Equal(t, remoting.PullRetryImmediately, is)
}

// Views that say nothing which brokers don't know go when others need the room.
func TestIdleViewsGoForOthers(t *testing.T) {
	g := newGuarded(t, appKeys)
	v := g.queue(routing.Source)
	groups := &g.gateway.table.groups
	idle := func(name string) *view {
		one := groups.get([]byte(name)).of(v.queue)
		one.usedAt = time.Now().Add(-2 * idleView)
		groups.get([]byte(name)).asked.Store(one.usedAt.UnixNano())
		return one
	}
	goes := idle("idle")
	idle("refused").claimed = 3
	committed := idle("committed")
	committed.takes(call{commit: 7, side: routing.Source})
	_, due := committed.due()
	require.False(t, due, "the source has it, and nobody else needs it")
	idle("moved").shift[routing.Target] = 5
	idle("moving").moving = true
	idle("owes").owed = true
	idle("fresh").usedAt = time.Now()
	busy := idle("busy")
	g.session.open[99] = call{code: remoting.CodePull, view: busy}
	all := len(groups.all())
	g.gateway.forgetViews()
	require.Len(t, groups.all(), all, "there is room")
	groups.room.most = groups.room.made.Load()
	g.gateway.forgetViews()
	assert.Len(t, groups.all(), all-3)
	for _, name := range []string{"idle", "refused", "committed"} {
		assert.Nil(t, groups.of(wanted{name, v.queue}), name)
	}
	assert.False(t, goes.uses(), "who holds it still looks again")
	assert.Equal(t, groups.room.most-3, groups.room.made.Load())
	assert.NotSame(t, goes, groups.asked([]byte("idle"), v.queue))
	delete(g.session.open, 99)
}

// Which topics a group has positions on is asked for the group alone: all positions of a broker may
// be more than an answer holds.
func TestAGroupsPositionsAreAskedForByItself(t *testing.T) {
	two := newTwoSides(t)
	two.table.topics.ensure("orders").ensure("broker-a", 1)
	two.table.topics.ensure("other").ensure("broker-a", 1)
	two.brokers[routing.Source].answer(codeConsumeStats, wire.Reply{Body: []byte(
		`{"consumeTps":0.0,"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"orders"}:{"brokerOffset":5,"consumerOffset":3,"lastTimestamp":0}}}`,
	)})
	_, err := two.viewsOf(t.Context(), "billing", routing.Source)
	require.NoError(t, err)
	one, _ := two.table.groups.known([]byte("billing"))
	var topics []string
	for _, v := range one.all() {
		topics = append(topics, v.queue.topic)
	}
	assert.Contains(t, topics, "orders")
	assert.NotContains(t, topics, "other")
}

// BenchmarkInvented is what a group takes that reads one queue, in bytes that stay.
func BenchmarkInvented(b *testing.B) {
	groups, q := &groups{byName: map[string]*group{}}, &queue{}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range b.N {
		groups.asked(fmt.Appendf(nil, "%0*d", bodies.LongestGroup, i), q)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/group")
	runtime.KeepAlive(groups)
}
