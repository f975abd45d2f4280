//go:build !race

// The stock 4.x client has data races of its own (processQueue.takeMessages against putMessage), which would fail the test.

package activities

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

// inbox counts what the members of a group have received, by body.
type inbox struct {
	mu   sync.Mutex
	seen map[string]int
}

func (i *inbox) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.seen)
}

// repeated are the messages that came more than once.
func (i *inbox) repeated() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []string
	for body, times := range i.seen {
		if times > 1 {
			all = append(all, fmt.Sprintf("%s: %d times", body, times))
		}
	}
	return all
}

// member starts a stock 4.x consumer as one instance of the group's application; stop ends it.
func (r *rig) member(side Side, group, topic string, orderly bool, in *inbox) (stop func()) {
	r.Helper()
	rlog.SetLogLevel("error")
	nameServers := r.plan.Source.NameServers
	if side == Target {
		nameServers = r.plan.Target.NameServers
	}
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(group), consumer.WithInstance(group+"-"+string(side)), consumer.WithConsumerOrder(orderly),
		consumer.WithNsResolver(primitive.NewPassthroughResolver(nameServers)), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	require.NoError(r, err)
	require.NoError(r, c.Subscribe(topic, consumer.MessageSelector{}, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		in.mu.Lock()
		defer in.mu.Unlock()
		for _, m := range messages {
			in.seen[string(m.Body)]++
		}
		return consumer.ConsumeSuccess, nil
	}))
	require.NoError(r, c.Start())
	var once sync.Once
	stop = func() { once.Do(func() { _ = c.Shutdown() }) }
	r.Cleanup(stop)
	return stop
}

// TestLiveStockConsumersMoveWithoutLossOrRepetition moves an orderly and a concurrent group of unmodified 4.x clients while
// they work, and compares what they were given with what was produced.
func TestLiveStockConsumersMoveWithoutLossOrRepetition(t *testing.T) {
	t.Parallel()
	r := newRig(t, "stock")
	r.plan.Shift.Settle = plan.Duration(8 * time.Second) // longer than clients take to commit
	orders, ordered, free := r.topic("orders", 2), r.group("ordered"), r.group("free")
	in := map[string]*inbox{ordered: {seen: map[string]int{}}, free: {seen: map[string]int{}}}
	groups := []string{ordered, free}
	r.importAll([]string{orders}, groups, nil)
	r.replicate()
	r.background(NewOffsets(r.settings), "Sync", r.request())
	var leave []func()
	for _, group := range groups {
		leave = append(leave, r.member(Source, group, orders, group == ordered, in[group]))
	}
	const each = 40 // for each of 4 queues
	r.fill(orders, each)
	r.eventually("both groups read on the source", func() bool { return in[ordered].count() > each && in[free].count() > each })

	var a Assessment
	r.eventually("the orderly member says what it is, which this client doesn't always answer", func() bool {
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		return len(a.Groups) == 2 && a.Groups[1].Orderly
	})
	require.Len(t, a.Groups, 2)
	assert.Equal(t, Group{Name: free, Topics: []string{orders}, Members: 1}, a.Groups[0])
	assert.Equal(t, Group{Name: ordered, Topics: []string{orders}, Members: 1, Orderly: true}, a.Groups[1])
	assert.True(t, a.Topics[0].Ordered, "an orderly group reads it")
	require.NotEmpty(t, a.Clients)
	assert.Empty(t, a.Findings)

	traffic := NewTraffic(r.settings)
	fenced := time.Now()
	r.must(traffic, "Fence", r.groups(Source, groups...), nil)
	r.fill(orders, each) // meanwhile producers go on
	r.must(traffic, "AwaitSettled", r.groups(Source, groups...), nil)
	assert.GreaterOrEqual(t, time.Since(fenced), fenceMargin)
	var written []GroupPositions
	r.must(traffic, "Translate", r.groups(Source, groups...), &written)
	assert.Equal(t, []GroupPositions{{Group: ordered, Queues: 6, Exact: 6}, {Group: free, Queues: 6, Exact: 6}}, written, "4 queues of the topic, 2 of the retry topic")
	t.Logf("pause until the target opens: %s", time.Since(fenced))
	r.must(traffic, "Unfence", r.groups(Target, groups...), nil)

	move := AwaitMoveRequest{Request: r.request(), From: Source, Groups: groups}
	err := ask(t, traffic, "AwaitMembers", move, nil)
	require.Equal(t, NotReadyType, typeOf(err))
	assert.ErrorContains(t, err, "1 members on the source")
	for i, group := range groups {
		leave[i]()
		r.member(Target, group, orders, group == ordered, in[group])
	}
	var members []Members
	r.must(traffic, "AwaitMembers", move, &members)
	assert.Equal(t, 1, members[0].Target)
	for _, group := range groups {
		r.eventually(group+" has everything", func() bool { return in[group].count() == 8*each })
		assert.Empty(t, in[group].repeated(), group)
	}
	var wave WaveCheck
	r.must(traffic, "CheckWave", WaveRequest{Request: r.request(), Wave: plan.Wave{Step: 100, Topics: []string{orders}, Groups: groups}}, &wave)
	assert.Zero(t, wave.MembersLeft)
}
