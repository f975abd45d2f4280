package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/require"
)

// load is what stock clients send and read: messages are numbered by key.
type load struct {
	*rig
	topic string
	stop  chan struct{}
	done  sync.WaitGroup

	mu      sync.Mutex
	acked   map[string]map[int]bool // by key: the numbers that were acknowledged
	errors  []string
	longest time.Duration
	again   bool // a send that fails is tried again until it is acknowledged, with the number of the attempt behind it
	sent    atomic.Int64
}

// produce starts a stock producer that sends by keys, each key in order.
func (r *rig) produce(topic, prefix string, keys int, pause time.Duration) *load {
	r.Helper()
	l := r.newLoad(topic)
	retries := 2
	if r.once {
		retries = 0
	}
	p, err := stock.NewProducer(
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})), producer.WithGroupName("producers-"+topic),
		producer.WithInstanceName(prefix+topic), producer.WithQueueSelector(producer.NewHashQueueSelector()), producer.WithRetry(retries), producer.WithCredentials(l.signs),
	)
	require.NoError(r, err)
	require.NoError(r, p.Start())
	for k := range keys {
		l.done.Go(func() { l.send(p, fmt.Sprint(prefix, k), pause) })
	}
	r.Cleanup(func() {
		l.end()
		_ = p.Shutdown()
		if r.Failed() {
			r.Logf("%s sent %d; errors: %.2000v", prefix, l.sent.Load(), l.errors)
		}
	})
	return l
}

func (r *rig) newLoad(topic string) *load {
	return &load{rig: r, topic: topic, stop: make(chan struct{}), acked: map[string]map[int]bool{}}
}

// ack takes note of a message that was acknowledged.
func (l *load) ack(key string, n int, took time.Duration) {
	l.mu.Lock()
	if l.acked[key] == nil {
		l.acked[key] = map[int]bool{}
	}
	l.acked[key][n] = true
	l.longest = max(l.longest, took)
	l.mu.Unlock()
	l.sent.Add(1)
}

// fail takes note of a message that was given up; whether another one is to be sent.
func (l *load) fail(key string, n int, why any) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = append(l.errors, fmt.Sprint(key, " ", n, ": ", why))
	return l.again
}

func (l *load) send(p stock.Producer, key string, pause time.Duration) {
	for n, attempt := 0, 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-time.After(pause):
		}
		begin := time.Now()
		body := fmt.Appendf(nil, "%s %d", key, n)
		if attempt > 0 {
			body = fmt.Appendf(body, " %d", attempt)
		}
		_, err := p.SendSync(context.Background(), primitive.NewMessage(l.topic, body).WithShardingKey(key))
		took := time.Since(begin)
		if err == nil {
			l.ack(key, n, took)
			attempt = 0
		} else if !l.fail(key, n, err) {
			return
		} else {
			attempt++
			n--
		}
	}
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.done.Wait()
}

// readers are members of a group, and what they got.
type readers struct {
	*rig
	group string

	mu       sync.Mutex
	seen     map[string][]int // by key: numbers in the order of deliveries
	byMember map[string]int
	repeats  repeats
	fail     func(key string, n int, times int32) bool
	wants    func(n int) bool // which numbers the group reads; all if nil
	got      atomic.Int64
	members  int
}

func (r *rig) consume(group, topic string, members int, orderly bool) *readers {
	r.Helper()
	rs := r.newReaders(group, members)
	for i := range members {
		rs.join(topic, fmt.Sprint(group, i), orderly)
	}
	return rs
}

func (r *rig) newReaders(group string, members int) *readers {
	rs := &readers{rig: r, group: group, seen: map[string][]int{}, byMember: map[string]int{}, members: members}
	r.Cleanup(func() {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		if r.Failed() && len(rs.repeats.again) > 0 {
			r.Logf("group %s got again:\n%s", group, strings.Join(rs.repeats.again, "\n"))
		}
	})
	return rs
}

func (rs *readers) join(topic, name string, orderly bool) stock.PushConsumer {
	rs.Helper()
	return rs.joinAt(rs.entrance, topic, name, orderly)
}

// joinAt starts a member with these name servers.
func (rs *readers) joinAt(nameServers, topic, name string, orderly bool) stock.PushConsumer {
	rs.Helper()
	return rs.joinFor(nameServers, topic, name, consumer.MessageSelector{}, orderly)
}

// joinFor starts one that doesn't want all messages.
func (rs *readers) joinFor(nameServers, topic, name string, which consumer.MessageSelector, orderly bool) stock.PushConsumer {
	rs.Helper()
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(rs.group), consumer.WithInstance(name), consumer.WithConsumerOrder(orderly),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{nameServers})),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset), consumer.WithConsumeMessageBatchMaxSize(1), consumer.WithCredentials(rs.signs),
	)
	require.NoError(rs, err)
	require.NoError(rs, c.Subscribe(topic, which, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, m := range messages {
			if !rs.take(name, m) {
				return consumer.ConsumeRetryLater, nil
			}
		}
		return consumer.ConsumeSuccess, nil
	}))
	require.NoError(rs, c.Start())
	rs.Cleanup(func() { _ = c.Shutdown() })
	return c
}

func (rs *readers) take(member string, m *primitive.MessageExt) bool {
	key, number, _ := strings.Cut(string(m.Body), " ")
	number, attempt, _ := strings.Cut(number, " ")
	n, _ := strconv.Atoi(number)
	rs.mu.Lock()
	refused := rs.fail != nil && rs.fail(key, n, m.ReconsumeTimes)
	rs.mu.Unlock()
	if !refused {
		rs.note(key, n, deliveryOf(member, attempt, m))
	}
	return !refused
}

// note takes note of a message that a member has worked on.
func (rs *readers) note(key string, n int, d delivery) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.seen[key] = append(rs.seen[key], n)
	rs.repeats.note(key, n, d)
	rs.byMember[d.member]++
	rs.got.Add(1)
}

// counts are what each member has got so far.
func (rs *readers) counts() map[string]int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	counts := map[string]int{}
	for name, n := range rs.byMember {
		counts[name] = n
	}
	return counts
}

// moreRepeats is what a group may repeat beyond what a control run does. A stock member that gives queues up commits what it has done, and what the
// next one reads before that is there is a matter of milliseconds, at about 80 messages a second and group.
const moreRepeats = 20

// verdict is what became of the messages of a load.
type verdict struct{ lost, duplicated, outOfOrder int }

func (rs *readers) judge(l *load) (v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for key, acked := range l.acked {
		times, last := map[int]int{}, -1
		for _, n := range rs.seen[key] {
			if times[n]++; n < last && times[n] == 1 { // what comes again is counted as that
				v.outOfOrder++
			}
			last = max(last, n)
		}
		for n := range acked {
			if times[n] == 0 && (rs.wants == nil || rs.wants(n)) {
				v.lost++
			}
		}
		for _, n := range times {
			v.duplicated += n - 1
		}
	}
	return v
}

// warmUp sends until all members have something to do: stock clients repeat messages when members join, with and without a gateway.
func (r *rig) warmUp(topic string, all ...*readers) {
	r.Helper()
	r.untilAllWork(r.produce(topic, "warm", 16, 20*time.Millisecond), all...)
}

// untilAllWork waits until all members have got messages of a load, which then ends and is read.
func (r *rig) untilAllWork(l *load, all ...*readers) {
	r.Helper()
	idle := ""
	defer func() {
		if idle != "" {
			r.Log("without work: ", idle)
		}
	}()
	r.eventually("all members work", func() bool {
		idle = ""
		for _, rs := range all {
			rs.mu.Lock()
			if len(rs.byMember) < rs.members {
				idle += fmt.Sprint(rs.group, " ", len(rs.byMember), " of ", rs.members, "; ")
			}
			rs.mu.Unlock()
		}
		return idle == ""
	})
	l.end()
	for _, rs := range all {
		rs.untilRead(l)
	}
}

// untilRead waits until the group has got all that was acknowledged.
func (rs *readers) untilRead(l *load) {
	rs.Helper()
	defer func() {
		if missing := rs.missing(l); missing != "" {
			rs.Log("group ", rs.group, " hasn't got: ", missing)
		}
	}()
	rs.eventually("group "+rs.group+" has read everything", func() bool { return rs.judge(l).lost == 0 })
}

// missing says which messages the group hasn't got, the first few of each key.
func (rs *readers) missing(l *load) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	says := ""
	for _, key := range slices.Sorted(maps.Keys(l.acked)) {
		var not []int
		for n := range l.acked[key] {
			if !slices.Contains(rs.seen[key], n) && (rs.wants == nil || rs.wants(n)) {
				not = append(not, n)
			}
		}
		slices.Sort(not)
		if len(not) > 0 {
			says += fmt.Sprintf("%s: %d of %d: %v; before: %s, after: %s; ", key, len(not), len(l.acked[key]), not[:min(5, len(not))],
				rs.repeats.first[fmt.Sprint(key, " ", not[0]-1)], rs.repeats.first[fmt.Sprint(key, " ", not[0]+1)])
		}
	}
	return says
}
