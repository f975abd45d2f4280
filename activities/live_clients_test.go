//go:build !race

// The stock 4.x client has data races of its own (processQueue.takeMessages against putMessage),
// which would fail the test.

package activities

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// inbox is what the members of a group have received, by body.
type inbox struct {
	mu    sync.Mutex
	phase int // of the test: a move ends one
	seen  map[string][]delivery
}

// delivery is one message that one member was given: where it is stored on the member's side, and
// when.
type delivery struct {
	member string
	queue  primitive.MessageQueue
	offset int64
	phase  int
}

func newInbox() *inbox { return &inbox{seen: map[string][]delivery{}} }

func (i *inbox) note(member string, m *primitive.MessageExt) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen[string(m.Body)] = append(i.seen[string(m.Body)], delivery{member, *m.Queue, m.QueueOffset, i.phase})
}

// moved begins another phase.
func (i *inbox) moved() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.phase++
}

func (i *inbox) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.seen)
}

// ends are the offsets behind the last message that was given of each queue of a topic.
func (i *inbox) ends(topic string) map[lane.Queue]int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	ends := map[lane.Queue]int64{}
	for _, all := range i.seen {
		for _, d := range all {
			if q := (lane.Queue{Broker: d.queue.BrokerName, ID: d.queue.QueueId}); d.queue.Topic == topic {
				ends[q] = max(ends[q], d.offset+1)
			}
		}
	}
	return ends
}

// repeated are the messages that came more than once by our doing: they were given on both sides,
// or again after a move, or from two places where they are stored. One that the same member read
// twice from the same place, with no move in between, was asked for twice by its client: positions
// are looked up only when a member takes a queue. Stock clients do that when they lose a queue for
// a moment, with and without a migration.
func (i *inbox) repeated() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []string
	for body, deliveries := range i.seen {
		for _, d := range deliveries[1:] {
			if d != deliveries[0] {
				all = append(all, fmt.Sprintf("%s: %v", body, deliveries))
				break
			}
		}
	}
	return all[:min(len(all), 5)] // they tell enough
}

// clientLog takes what stock clients log, which is global to a process; it goes to the test that
// started a client last.
type clientLog struct{ to atomic.Pointer[slog.Logger] }

var stockLog = sync.OnceValue(func() *clientLog {
	l := &clientLog{}
	rlog.SetLogger(l)
	return l
})

func (l *clientLog) say(level slog.Level, msg string, fields map[string]any) {
	if to := l.to.Load(); to != nil && msg != "" {
		to.Log(context.Background(), level, msg, "fields", fields)
	}
}

func (l *clientLog) Debug(string, map[string]any)              {}
func (l *clientLog) Info(string, map[string]any)               {}
func (l *clientLog) Warning(msg string, fields map[string]any) { l.say(slog.LevelWarn, msg, fields) }

func (l *clientLog) Error(msg string, fields map[string]any) { l.say(slog.LevelError, msg, fields) }

func (l *clientLog) Fatal(msg string, fields map[string]any) { l.say(slog.LevelError, msg, fields) }
func (l *clientLog) Level(string)                            {}
func (l *clientLog) OutputPath(string) error                 { return nil }

// logClients keeps stock clients' log with the test's.
func (r *rig) logClients() {
	r.Helper()
	stockLog().to.Store(labtest.Log(r, "stock clients"))
}

// member starts a stock 4.x consumer as one instance of the group's application; stop ends it.
func (r *rig) member(side api.Side, group, topic string, orderly bool, in *inbox) (stop func()) {
	r.Helper()
	return r.memberBy(consumer.MessageSelector{}, side, group, topic, orderly, in)
}

// memberBy starts one that filters.
func (r *rig) memberBy(
	by consumer.MessageSelector, side api.Side, group, topic string, orderly bool, in *inbox,
) (stop func()) {
	r.Helper()
	nameServers := r.plan.Source.NameServers
	if side == api.Target {
		nameServers = r.plan.Target.NameServers
	}
	r.logClients()
	name := fmt.Sprint(group, "-", side, "-", time.Now().UnixNano())
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(group),
		consumer.WithInstance(name),
		consumer.WithConsumerOrder(orderly),
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
			by,
			func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
				for _, m := range messages {
					in.note(name, m)
				}
				return consumer.ConsumeSuccess, nil
			},
		),
	)
	require.NoError(r, c.Start())
	var once sync.Once
	stop = func() { once.Do(func() { _ = c.Shutdown() }) }
	r.Cleanup(stop)
	return stop
}

// TestLiveStockConsumersMoveWithoutLossOrRepetition moves an orderly and a concurrent group of
// unmodified 4.x clients while they work, and compares what they were given with what was produced.
func TestLiveStockConsumersMoveWithoutLossOrRepetition(t *testing.T) {
	t.Parallel()
	r := newRig(t, "stock")
	r.plan.Shift.Settle = plan.Duration(
		20 * time.Second,
	) // longer than clients take to commit, which have five seconds and stall
	orders, ordered, free := r.topic("orders", 2), r.group("ordered"), r.group("free")
	in := map[string]*inbox{ordered: newInbox(), free: newInbox()}
	groups := []string{ordered, free}
	r.importAll([]string{orders}, groups, nil)
	r.replicate()
	r.background(NewOffsets(r.settings), "Sync", r.request())
	var leave []func()
	for _, group := range groups {
		leave = append(leave, r.member(api.Source, group, orders, group == ordered, in[group]))
	}
	const each = 40 // for each of 4 queues
	r.fill(orders, each)
	r.eventually("both groups read on the source",
		func() bool { return in[ordered].count() > each && in[free].count() > each })

	var a api.Assessment
	r.eventually("the orderly member says what it is, which this client doesn't always answer", func() bool {
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		return len(a.Groups) == 2 && a.Groups[1].Orderly
	})
	require.Len(t, a.Groups, 2)
	assert.Equal(t, api.Group{Name: free, Topics: []string{orders}, Members: 1}, a.Groups[0])
	assert.Equal(t, api.Group{Name: ordered, Topics: []string{orders}, Members: 1, Orderly: true}, a.Groups[1])
	assert.True(t, a.Topics[0].Ordered, "an orderly group reads it")
	require.NotEmpty(t, a.Clients)
	own := ownFindings(a.Findings)
	require.Len(t, own, 1, "%v", a.Findings)
	assert.Equal(t, "order-without-key", own[0].ID, "read in order, and sent without a key")

	traffic := NewTraffic(r.settings)
	fenced := time.Now()
	r.must(traffic, "Fence", r.groups(api.Source, groups...), nil)
	r.fill(orders, each) // meanwhile producers go on
	r.must(traffic, "AwaitSettled", r.groups(api.Source, groups...), nil)
	assert.GreaterOrEqual(t, time.Since(fenced), consumers.FenceMargin)
	var written []consumers.Positions
	r.must(traffic, "Translate", r.groups(api.Source, groups...), &written)
	assert.Equal(t, []consumers.Positions{{Group: ordered, Queues: 6, Exact: 6}, {Group: free, Queues: 6, Exact: 6}},
		written, "4 queues of the topic, 2 of the retry topic")
	for _, group := range groups {
		given := in[group].ends(orders)
		// of queues that were empty on both sides: copies have their originals' offsets
		for _, lane := range r.lanes(orders) {
			assert.Equal(t, given[lane.Source], r.position(r.target, group, orders, lane.Target),
				"%s, %s: it goes on with the first message that it wasn't given", group, lane)
		}
	}
	r.must(traffic, "Unfence", r.groups(api.Target, groups...), nil)

	move := AwaitMoveRequest{Request: r.request(), From: api.Source, Groups: api.Some(groups...)}
	err := ask(t, traffic, "AwaitMembers", move, nil)
	require.Equal(t, NotReadyType, typeOf(err))
	assert.ErrorContains(t, err, "1 members on the source")
	for i, group := range groups {
		leave[i]()
		in[group].moved()
		r.member(api.Target, group, orders, group == ordered, in[group])
	}
	var members []measure.Members
	r.must(traffic, "AwaitMembers", move, &members)
	assert.Equal(t, 1, members[0].Target)
	for _, group := range groups {
		r.eventually(group+" has everything", func() bool { return in[group].count() == 8*each })
		assert.Empty(t, in[group].repeated(), group)
	}
	var verified api.Verification // nothing is stored twice
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)}, &verified)
	assert.True(t, verified.Clean(), "%+v", verified)
	assert.EqualValues(t, 8*each, verified.Compared)
	var wave api.WaveCheck
	r.must(traffic, "CheckWave",
		WaveRequest{Request: r.request(), Wave: Wave{Step: 100, Topics: api.Some(orders), Groups: api.Some(groups...)}},
		&wave)
	assert.Zero(t, wave.MembersLeft)
}
