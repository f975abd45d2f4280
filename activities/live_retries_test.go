//go:build !race

package activities

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/replica"
)

// trials notes how often each message was tried, and what became of it.
type trials struct {
	mu    sync.Mutex
	names replica.Names
	phase int                // of the test: on the source, on the target, back on the source
	tried map[string][]trial // in the order of deliveries
	done  map[string]int     // how often it was worked off
}

// trial is one delivery.
type trial struct {
	side    api.Side
	member  string
	attempt int32
	place   string // where the message is stored that was given
	origin  string // where its original is stored, if it may be a copy
}

// trialOf knows a copy by its stamp. What failed and was sent back keeps the stamp of what it was
// before, which names the place of an earlier attempt.
func (t *trials) trialOf(side api.Side, member string, m *primitive.MessageExt) trial {
	cluster := map[api.Side]string{api.Source: t.names.Source, api.Target: t.names.Target}[side]
	one := trial{side: side, member: member, attempt: m.ReconsumeTimes}
	one.place = fmt.Sprint(cluster, " ", m.Queue.Topic, " ", m.Queue.BrokerName, "/", m.Queue.QueueId, " ",
		m.QueueOffset)
	stamp := remoting.Property{Name: replica.StampProperty, Value: m.GetProperty(replica.StampProperty)}
	if s, is := replica.ParseStamp(remoting.EncodeProperties([]remoting.Property{stamp})); is {
		one.origin = fmt.Sprint(s.Cluster, " ", s.Topic, " ", s.Broker, "/", s.Queue, " ", s.Offset)
	}
	return one
}

// try fails messages up to the phase that their body begins with.
func (t *trials) try(side api.Side, member string, m *primitive.MessageExt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	body := string(m.Body)
	t.tried[body] = append(t.tried[body], t.trialOf(side, member, m))
	ok := t.phase >= int(body[0]-'0')
	if ok {
		t.done[body]++
	}
	return ok
}

func (t *trials) enter(phase int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phase = phase
}

// all reports whether the messages that begin with prefix fulfil a condition.
func (t *trials) all(prefix string, ok func(body string) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for body := range t.tried {
		if strings.HasPrefix(body, prefix) {
			if n++; !ok(body) {
				return false
			}
		}
	}
	return n == 8
}

// requireAttempts checks a message's attempts: none is left out, and none comes twice by our doing.
// By our doing are a copy beside its original, and one place that is read again after a move;
// copies that were made twice are found by comparing. A client may send a message back twice when
// the broker's answer is late, and then there are two originals; or it reads one place twice.
func (t *trials) requireAttempts(r *rig, body string) {
	r.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.tried[body]
	places, attempts := map[string]trial{}, map[int32]bool{}
	for _, one := range all {
		if before, known := places[one.place]; known {
			assert.Equal(r, before.member, one.member, "%s is read again after a move: %+v", body, all)
		}
		places[one.place], attempts[one.attempt] = one, true
	}
	for _, one := range all {
		if original, given := places[one.origin]; given {
			assert.NotEqual(r, original.attempt, one.attempt, "%s is given as an original and as its copy: %+v",
				body, all)
		}
	}
	for i := range len(attempts) {
		assert.True(r, attempts[int32(i)], "%s: attempt %d is left out: %+v", body, i, all)
	}
	if len(all) > len(attempts) { // its client's doing, as was seen above
		r.Logf("%s: %d deliveries of %d attempts, worked off %d times", body, len(all), len(attempts), t.done[body])
		return
	}
	for i, one := range all {
		assert.EqualValues(r, i, one.attempt, "%s: attempts %+v", body, all)
	}
	assert.Equal(r, 1, t.done[body], body)
}

// trier starts a stock consumer whose failed messages are tried again a second later.
func (r *rig) trier(side api.Side, group, topic string, into *trials) (stop func()) {
	r.Helper()
	r.logClients()
	nameServers := r.plan.Source.NameServers
	if side == api.Target {
		nameServers = r.plan.Target.NameServers
	}
	name := fmt.Sprint(group, side, time.Now().UnixNano())
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(group),
		consumer.WithInstance(name),
		consumer.WithConsumeMessageBatchMaxSize(1),
		consumer.WithMaxReconsumeTimes(
			1000,
		), // clients look for routes every 30 s: one broker's messages may be tried often before the other's are at all
		consumer.WithNsResolver(
			primitive.NewPassthroughResolver(nameServers),
		),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	require.NoError(r, err)
	require.NoError(
		r,
		c.Subscribe(
			topic,
			consumer.MessageSelector{},
			func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
				if into.try(side, name, messages[0]) {
					return consumer.ConsumeSuccess, nil
				}
				if how, ok := primitive.GetConcurrentlyCtx(ctx); ok {
					how.DelayLevelWhenNextConsume = 1
				}
				return consumer.ConsumeRetryLater, nil
			},
		),
	)
	require.NoError(r, c.Start())
	stop = sync.OnceFunc(func() { _ = c.Shutdown() })
	r.Cleanup(stop)
	return stop
}

// move brings a group over, with the members of both sides.
func (r *rig) move(group, topic string, from api.Side, into *trials, phase int, leave func()) (stop func()) {
	r.Helper()
	traffic := NewTraffic(r.settings)
	r.must(traffic, "Fence", r.groups(from, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(from, group), nil)
	if from == api.Target {
		r.must(NewReturns(r.settings), "AwaitReturnable",
			ReturnRequest{GroupsRequest: r.groups(api.Target, group), Free: api.Some(topic)}, nil)
	}
	leave()
	r.must(traffic, "Translate", r.groups(from, group), nil)
	into.enter(phase)
	r.must(traffic, "Unfence", r.groups(from.Other(), group), nil)
	return r.trier(from.Other(), group, topic, into)
}

// TestLongRetriesMoveWithTheirGroup moves a group there and back while messages fail: each of them
// is tried again where the group is, with its count of attempts, and no attempt is left out, or
// comes twice by our doing.
func TestLongRetriesMoveWithTheirGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t, "retries")
	r.plan.Shift.Settle = plan.Duration(
		20 * time.Second,
	) // longer than clients take to commit, which have five seconds and stall
	orders, group := r.topic("orders", 2), r.group("billing")
	r.importAll([]string{orders}, []string{group}, nil)
	r.replicate()
	r.background(NewOffsets(r.settings), "Sync", r.request())
	into := &trials{phase: 1, names: clusters.LaneNames(r.plan), tried: map[string][]trial{}, done: map[string]int{}}
	leave := r.trier(api.Source, group, orders, into)
	for _, b := range r.brokers(r.source) {
		for i := range 12 { // four for each phase
			_, err := r.source.Client().SendMessage(r.ctx, b.Addr, rocketmq.SendRequest{
				Group: "producers", Topic: orders, Queue: i % 2, BornTimestamp: time.Now().UnixMilli(), Body: fmt.Appendf(nil, "%d %s %d", 1+i%3, b.Name, i),
				Properties: remoting.EncodeProperties(
					[]remoting.Property{
						{Name: remoting.PropUniqKey, Value: fmt.Sprint(b.Name, i)},
						{Name: "TAGS", Value: "a"},
					},
				),
			})
			require.NoError(t, err)
		}
	}
	tried := func(times int) func(string) bool {
		return func(body string) bool { return len(into.tried[body]) >= times }
	}
	on := func(side api.Side, more int) func(string) bool {
		return func(body string) bool {
			all := into.tried[body]
			return len(all) >= more && all[len(all)-1].side == side
		}
	}
	done := func(body string) bool { return into.done[body] > 0 }
	r.eventually("messages without faults are worked off on the source", func() bool { return into.all("1", done) })
	r.eventually("the others have failed twice there",
		func() bool { return into.all("2", tried(2)) && into.all("3", tried(2)) })
	leave = r.move(group, orders, api.Source, into, 2, leave)
	r.eventually("what failed on the source succeeds on the target", func() bool { return into.all("2", done) })
	r.eventually("the rest fails there as well", func() bool { return into.all("3", on(api.Target, 4)) })
	leave = r.move(group, orders, api.Target, into, 3, leave)
	r.eventually("and succeeds back on the source", func() bool { return into.all("3", done) })
	leave()
	for _, body := range clusters.SortedKeys(into.tried) {
		into.requireAttempts(r, body)
	}
	var verified api.Verification
	r.must(NewVerifier(r.settings), "Verify",
		VerifyRequest{Request: r.request(), Topics: api.Some(orders), Own: true}, &verified)
	assert.True(t, verified.Clean(), "%+v", verified)
	assert.Greater(t, verified.Compared, int64(24+8), "the messages, and retries of some")
	var found api.Ledger
	r.must(NewLedgers(r.settings), "Ledger", r.request(), &found)
	for _, row := range found.Rows.First() {
		if row.Kind == ledger.KindRetry {
			assert.Zero(t, row.Rest, "%+v", row)
		}
	}
	r.requireComesBack(orders)
}

// requireComesBack writes a message on the target that is delivered later: it is told as pending
// until it is on the source.
func (r *rig) requireComesBack(topic string) {
	r.Helper()
	b := r.brokers(r.target)[0]
	end := func() (end int64) {
		for _, lane := range r.lanes(topic) {
			last, err := r.source.Client().MaxOffset(r.ctx, r.addr(r.source, lane.Source.Broker), topic, lane.Source.ID)
			require.NoError(r, err)
			end += last
		}
		return end
	}
	delivered := func() int64 {
		at, err := r.target.Client().MaxOffset(r.ctx, b.Addr, topic, 0)
		require.NoError(r, err)
		return at
	}
	// What else the broker delivers later is of other tests' topics.
	pending := func(level string) (rest int64) {
		var l api.Ledger
		r.must(NewLedgers(r.settings), "Pending", r.request(), &l)
		for _, row := range l.Rows.First() {
			if row.Kind != ledger.KindDelayed && row.Kind != ledger.KindHalf ||
				row.Object == "broker "+b.Name+" level "+level {
				rest += row.Rest
			}
		}
		return rest
	}
	before, written, level := end(), int64(0), ""
	for _, level = range []string{"2", "4", "5"} { // 5 s, 30 s and 1 min: longer ones where looking took longer
		there := delivered()
		r.produce(r.target, b.Name, topic, 0, 1, remoting.Property{Name: remoting.PropDelay, Value: level})
		written++
		if rest := pending(level); delivered() == there { // it wasn't delivered while this looked
			assert.NotZero(r, rest, "a delayed message on the target is to come")
			break
		}
	}
	r.eventually("nothing is to come from the target", func() bool { return pending(level) == 0 })
	assert.Equal(r, before+written, end(), "it was copied back")
}
