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
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// trials notes how often each message was tried, and what became of it.
type trials struct {
	mu    sync.Mutex
	phase int                // of the test: on the source, on the target, back on the source
	tried map[string][]int32 // reconsume counts in the order of deliveries
	done  map[string]int     // how often it was worked off
	where map[string]string  // the side of the last delivery
}

// try fails messages up to the phase that their body begins with.
func (t *trials) try(side Side, m *primitive.MessageExt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	body := string(m.Body)
	t.tried[body], t.where[body] = append(t.tried[body], m.ReconsumeTimes), string(side)
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

// trier starts a stock consumer whose failed messages are tried again a second later.
func (r *rig) trier(side Side, group, topic string, into *trials) (stop func()) {
	r.Helper()
	rlog.SetLogLevel("error")
	nameServers := r.plan.Source.NameServers
	if side == Target {
		nameServers = r.plan.Target.NameServers
	}
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(group), consumer.WithInstance(fmt.Sprint(group, side, time.Now().UnixNano())), consumer.WithConsumeMessageBatchMaxSize(1),
		consumer.WithMaxReconsumeTimes(1000), // clients look for routes every 30 s: one broker's messages may be tried often before the other's are at all
		consumer.WithNsResolver(primitive.NewPassthroughResolver(nameServers)), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	require.NoError(r, err)
	require.NoError(r, c.Subscribe(topic, consumer.MessageSelector{}, func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		if into.try(side, messages[0]) {
			return consumer.ConsumeSuccess, nil
		}
		if how, ok := primitive.GetConcurrentlyCtx(ctx); ok {
			how.DelayLevelWhenNextConsume = 1
		}
		return consumer.ConsumeRetryLater, nil
	}))
	require.NoError(r, c.Start())
	stop = sync.OnceFunc(func() { _ = c.Shutdown() })
	r.Cleanup(stop)
	return stop
}

// move brings a group over, with the members of both sides.
func (r *rig) move(group, topic string, from Side, into *trials, phase int, leave func()) (stop func()) {
	r.Helper()
	traffic := NewTraffic(r.settings)
	r.must(traffic, "Fence", r.groups(from, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(from, group), nil)
	if from == Target {
		r.must(NewReturns(r.settings), "AwaitReturnable", ReturnRequest{GroupsRequest: r.groups(Target, group), Free: []string{topic}}, nil)
	}
	leave()
	r.must(traffic, "Translate", r.groups(from, group), nil)
	into.enter(phase)
	r.must(traffic, "Unfence", r.groups(from.other(), group), nil)
	return r.trier(from.other(), group, topic, into)
}

// TestLiveRetriesMoveWithTheirGroup moves a group there and back while messages fail: each of them is tried again where the group is, with
// its count of attempts, and no attempt comes twice or is left out.
func TestLiveRetriesMoveWithTheirGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t, "retries")
	r.plan.Shift.Settle = plan.Duration(8 * time.Second) // longer than clients take to commit
	orders, group := r.topic("orders", 2), r.group("billing")
	r.importAll([]string{orders}, []string{group}, nil)
	r.replicate()
	r.background(NewOffsets(r.settings), "Sync", r.request())
	into := &trials{phase: 1, tried: map[string][]int32{}, done: map[string]int{}, where: map[string]string{}}
	t.Cleanup(func() {
		if t.Failed() {
			into.mu.Lock()
			defer into.mu.Unlock()
			for body, counts := range into.tried {
				t.Logf("%s: attempts %v, done %d, last on the %s", body, counts, into.done[body], into.where[body])
			}
		}
	})
	leave := r.trier(Source, group, orders, into)
	for _, b := range r.brokers(r.source) {
		for i := range 12 { // four for each phase
			_, err := r.source.Client().SendMessage(r.ctx, b.Addr, rocketmq.SendRequest{
				Group: "producers", Topic: orders, Queue: i % 2, BornTimestamp: time.Now().UnixMilli(), Body: fmt.Appendf(nil, "%d %s %d", 1+i%3, b.Name, i),
				Properties: rocketmq.EncodeProperties([]rocketmq.Property{{Name: rocketmq.PropUniqKey, Value: fmt.Sprint(b.Name, i)}, {Name: "TAGS", Value: "a"}}),
			})
			require.NoError(t, err)
		}
	}
	tried := func(times int) func(string) bool {
		return func(body string) bool { return len(into.tried[body]) >= times }
	}
	on := func(side Side, more int) func(string) bool {
		return func(body string) bool { return into.where[body] == string(side) && len(into.tried[body]) >= more }
	}
	done := func(body string) bool { return into.done[body] == 1 }
	r.eventually("messages without faults are worked off on the source", func() bool { return into.all("1", done) })
	r.eventually("the others have failed twice there", func() bool { return into.all("2", tried(2)) && into.all("3", tried(2)) })
	leave = r.move(group, orders, Source, into, 2, leave)
	r.eventually("what failed on the source succeeds on the target", func() bool { return into.all("2", done) })
	r.eventually("the rest fails there as well", func() bool { return into.all("3", on(Target, 4)) })
	leave = r.move(group, orders, Target, into, 3, leave)
	r.eventually("and succeeds back on the source", func() bool { return into.all("3", done) })
	leave()
	for body, counts := range into.tried {
		for i, count := range counts {
			assert.EqualValues(t, i, count, "%s: attempts %v", body, counts)
		}
		assert.Equal(t, 1, into.done[body], body)
	}
	var verified Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: []string{orders}, Own: true}, &verified)
	assert.True(t, verified.Clean(), "%+v", verified)
	assert.Greater(t, verified.Compared, int64(24+8), "the messages, and retries of some")
	var ledger Ledger
	r.must(NewLedgers(r.settings), "Ledger", r.request(), &ledger)
	for _, row := range ledger.Rows {
		if row.Kind == kindRetry {
			assert.Zero(t, row.Rest, "%+v", row)
		}
	}
	b := r.brokers(r.target)[0]
	end := func() (end int64) {
		for _, lane := range r.lanes(orders) {
			last, err := r.source.Client().MaxOffset(r.ctx, r.addr(r.source, lane.Source.Broker), orders, lane.Source.ID)
			require.NoError(t, err)
			end += last
		}
		return end
	}
	before := end()
	r.produce(r.target, b.Name, orders, 0, 1, rocketmq.Property{Name: rocketmq.PropDelay, Value: "2"}) // five seconds
	pending := func() int64 {
		var l Ledger
		r.must(NewLedgers(r.settings), "Pending", r.request(), &l)
		return l.Rest
	}
	assert.NotZero(t, pending(), "a delayed message on the target is to come")
	r.eventually("nothing is to come from the target", func() bool { return pending() == 0 })
	assert.Equal(t, before+1, end(), "it was copied back")
}
