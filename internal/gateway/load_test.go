package gateway

import (
	"context"
	"fmt"
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
	acked   map[string]int // by key: how many were acknowledged, one after the other
	errors  []string
	longest time.Duration
	again   bool // a send that fails is tried again until it is acknowledged
	sent    atomic.Int64
}

// produce starts a stock producer that sends by keys, each key in order.
func (r *rig) produce(topic, prefix string, keys int, pause time.Duration) *load {
	r.Helper()
	l := &load{rig: r, topic: topic, stop: make(chan struct{}), acked: map[string]int{}}
	p, err := stock.NewProducer(
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})), producer.WithGroupName("producers-"+topic),
		producer.WithInstanceName(prefix+topic), producer.WithQueueSelector(producer.NewHashQueueSelector()), producer.WithRetry(2), producer.WithCredentials(l.signs),
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

func (l *load) send(p stock.Producer, key string, pause time.Duration) {
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-time.After(pause):
		}
		begin := time.Now()
		_, err := p.SendSync(context.Background(), primitive.NewMessage(l.topic, fmt.Appendf(nil, "%s %d", key, n)).WithShardingKey(key))
		took := time.Since(begin)
		l.mu.Lock()
		if err != nil {
			l.errors = append(l.errors, fmt.Sprint(key, " ", n, ": ", err))
			again := l.again
			l.mu.Unlock()
			if !again {
				return
			}
			n--
			continue
		}
		l.acked[key] = n + 1
		l.longest = max(l.longest, took)
		l.mu.Unlock()
		l.sent.Add(1)
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
	fail     func(key string, n int, times int32) bool
	got      atomic.Int64
	members  int
}

func (r *rig) consume(group, topic string, members int, orderly bool) *readers {
	r.Helper()
	rs := &readers{rig: r, group: group, seen: map[string][]int{}, byMember: map[string]int{}, members: members}
	for i := range members {
		rs.join(topic, fmt.Sprint(group, i), orderly)
	}
	return rs
}

func (rs *readers) join(topic, name string, orderly bool) stock.PushConsumer {
	rs.Helper()
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(rs.group), consumer.WithInstance(name), consumer.WithConsumerOrder(orderly),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{rs.entrance})),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset), consumer.WithConsumeMessageBatchMaxSize(1), consumer.WithCredentials(rs.signs),
	)
	require.NoError(rs, err)
	require.NoError(rs, c.Subscribe(topic, consumer.MessageSelector{}, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
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
	n, _ := strconv.Atoi(number)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.fail != nil && rs.fail(key, n, m.ReconsumeTimes) {
		return false
	}
	rs.seen[key] = append(rs.seen[key], n)
	rs.byMember[member]++
	rs.got.Add(1)
	return true
}

// verdict is what became of the messages of a load.
type verdict struct{ lost, duplicated, outOfOrder int }

func (rs *readers) judge(l *load) (v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for key, count := range l.acked {
		times, last := make([]int, count), -1
		for _, n := range rs.seen[key] {
			if n < count {
				times[n]++
			}
			if n < last {
				v.outOfOrder++
			}
			last = n
		}
		for _, n := range times {
			if n == 0 {
				v.lost++
			}
			v.duplicated += max(0, n-1)
		}
	}
	return v
}

// warmUp sends until all members have something to do: stock clients repeat messages when members join, with and without a gateway.
func (r *rig) warmUp(topic string, all ...*readers) {
	r.Helper()
	l := r.produce(topic, "warm", 16, 5*time.Millisecond)
	r.eventually("all members work", func() bool {
		for _, rs := range all {
			rs.mu.Lock()
			working := len(rs.byMember)
			rs.mu.Unlock()
			if working < rs.members {
				return false
			}
		}
		return true
	})
	l.end()
	for _, rs := range all {
		rs.untilRead(l)
	}
}

// untilRead waits until the group has got all that was acknowledged.
func (rs *readers) untilRead(l *load) {
	rs.Helper()
	rs.eventually("group "+rs.group+" has read everything", func() bool { return rs.judge(l).lost == 0 })
}
