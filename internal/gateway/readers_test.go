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
	"github.com/stretchr/testify/require"
)

// readers are members of a group, and what they got.
type readers struct {
	*rig
	group string

	mu       sync.Mutex
	seen     map[string][]int // by key: numbers in the order of deliveries
	got      map[message]deliveries
	refused  map[string]string // by body: where the message is stored that a member has failed
	byMember map[string]int
	again    []string // the first deliveries of what was delivered before
	fail     func(key string, n int, times int32) bool
	wants    func(n int) bool // which numbers the group reads; all if nil
	count    atomic.Int64     // of deliveries
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
	rs := &readers{
		rig:      r,
		group:    group,
		seen:     map[string][]int{},
		got:      map[message]deliveries{},
		refused:  map[string]string{},
		byMember: map[string]int{},
		members:  members,
	}
	r.Cleanup(func() {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		if r.Failed() && len(rs.again) > 0 {
			r.Logf("group %s got again:\n%s", group, strings.Join(rs.again, "\n"))
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
func (rs *readers) joinFor(
	nameServers, topic, name string,
	which consumer.MessageSelector,
	orderly bool,
) stock.PushConsumer {
	rs.Helper()
	c, err := stock.NewPushConsumer(
		consumer.WithGroupName(rs.group),
		consumer.WithInstance(name),
		consumer.WithConsumerOrder(orderly),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{nameServers})),
		consumer.WithConsumeFromWhere(
			consumer.ConsumeFromFirstOffset,
		),
		consumer.WithConsumeMessageBatchMaxSize(1),
		consumer.WithCredentials(rs.signs),
	)
	require.NoError(rs, err)
	life := newLife(name)
	require.NoError(
		rs,
		c.Subscribe(
			topic,
			which,
			func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
				for _, m := range messages {
					if !rs.take(name, life, m) {
						return consumer.ConsumeRetryLater, nil
					}
				}
				return consumer.ConsumeSuccess, nil
			},
		),
	)
	require.NoError(rs, c.Start())
	rs.Cleanup(func() { _ = c.Shutdown() })
	return c
}

func (rs *readers) take(member, life string, m *primitive.MessageExt) bool {
	d := deliveryOf(member, life, m)
	key, number, _ := strings.Cut(string(m.Body), " ")
	number, attempt, again := strings.Cut(number, " ")
	if again {
		d.attempt = attempt
	}
	n, _ := strconv.Atoi(number)
	rs.mu.Lock()
	refused := rs.fail != nil && rs.fail(key, n, m.ReconsumeTimes)
	d.own = m.ReconsumeTimes > 0 && rs.refused[string(m.Body)] == d.stored
	if refused {
		rs.refused[string(m.Body)] = d.stored
	}
	rs.mu.Unlock()
	if !refused {
		rs.note(message{key, n}, d)
	}
	return !refused
}

// note takes note of a message that a member has worked on.
func (rs *readers) note(m message, d delivery) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.seen[m.key] = append(rs.seen[m.key], m.number)
	if rs.got[m] == nil {
		rs.got[m] = deliveries{}
	}
	if before := rs.got[m].note(d); before != nil && len(rs.again) < mostRepeats {
		rs.again = append(rs.again, fmt.Sprintf("%s: %s; before %s", m, d, before))
	}
	rs.byMember[d.member]++
	rs.count.Add(1)
}

// has reports whether an attempt to send a message was delivered.
func (rs *readers) has(a attempt) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.got[a.message][a.number] != nil
}

// times is how often each attempt to send a message was delivered.
func (rs *readers) times(m message) map[string]int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	all := map[string]int{}
	for attempt, d := range rs.got[m] {
		all[attempt] = d.times()
	}
	return all
}

// counts are what each member has got so far.
func (rs *readers) counts() map[string]int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return maps.Clone(rs.byMember)
}

// verdict is what became of the messages of a load.
type verdict struct {
	lost int // acknowledged, and not delivered
	// deliveries of an attempt to send that was delivered before, without those that the stock
	// client makes itself
	duplicated int
	// of these, those to another member, or to one that was started anew: stock members repeat when
	// they hand queues over
	handedOver int
	outOfOrder int
}

func (v verdict) plus(o verdict) verdict {
	return verdict{
		v.lost + o.lost,
		v.duplicated + o.duplicated,
		v.handedOver + o.handedOver,
		v.outOfOrder + o.outOfOrder,
	}
}

const (
	// threads are those of a stock consumer. What they have in work when a queue is given up is
	// finished after its position was committed.
	threads = 20
	// commitsEvery is how often a stock member commits its positions, other than of queues that it
	// gives up.
	commitsEvery = 5 * time.Second
)

// within is what members repeated that they had got themselves.
func (v verdict) within() int { return v.duplicated - v.handedOver }

func (rs *readers) judge(l *load) (v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for key, acked := range l.acked {
		v.outOfOrder += len(late(rs.seen[key]))
		known := map[int]bool{}
		for _, n := range rs.seen[key] {
			if known[n] {
				continue // what comes again is counted as that
			}
			known[n] = true
			for _, d := range rs.got[message{key, n}] {
				again := d.times() - 1
				v.duplicated += again
				v.handedOver += min(again, d.handedOver)
			}
		}
		for n := range acked {
			if !known[n] && (rs.wants == nil || rs.wants(n)) {
				v.lost++
			}
		}
	}
	return v
}

// warmUp sends until all members have something to do: stock clients repeat messages when members
// join, with and without a gateway.
func (r *rig) warmUp(topic string, all ...*readers) {
	r.Helper()
	r.untilAllWork(r.produce(topic, "warm", 16, 20*time.Millisecond), all...)
}

// untilAllWork waits until all members have got messages of a load, which then ends and is read.
func (r *rig) untilAllWork(l *load, all ...*readers) {
	r.Helper()
	r.await("all members work", func() (without string) {
		for _, rs := range all {
			if working := len(rs.counts()); working < rs.members {
				without += fmt.Sprint(rs.group, ": ", working, " of ", rs.members, "; ")
			}
		}
		return without
	})
	l.end()
	for _, rs := range all {
		rs.untilRead(l)
	}
}

// untilRead waits until the group has got all that was acknowledged.
func (rs *readers) untilRead(l *load) {
	rs.Helper()
	rs.await("group "+rs.group+" has read everything", func() string {
		if rs.judge(l).lost == 0 {
			return ""
		}
		return rs.missing(l)
	})
}

// missing says which messages the group hasn't got, the first few of each key.
func (rs *readers) missing(l *load) (says string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(l.acked)) {
		var not []int
		for n := range l.acked[key] {
			if rs.got[message{key, n}] == nil && (rs.wants == nil || rs.wants(n)) {
				not = append(not, n)
			}
		}
		slices.Sort(not)
		if len(not) > 0 {
			says += fmt.Sprintf("%s: %d of %d: %v; before: %s, after: %s; ", key, len(not), len(l.acked[key]),
				not[:min(5, len(not))], rs.got[message{key, not[0] - 1}].any(),
				rs.got[message{key, not[0] + 1}].any())
		}
	}
	return says
}

// flow is something that goes on, as messages that are sent or read.
type flow interface {
	soFar() (what string, count int64)
}

func (l *load) soFar() (string, int64) { return l.name + " sent", l.sent.Load() }

func (rs *readers) soFar() (string, int64) { return rs.group + " got", rs.count.Load() }

// untilMore waits until so many messages more were sent by each load, and read by each group.
func (r *rig) untilMore(more int64, all ...flow) {
	r.Helper()
	before := make([]int64, len(all))
	for i, one := range all {
		_, before[i] = one.soFar()
	}
	r.await("traffic flows", func() (behind string) {
		for i, one := range all {
			if what, now := one.soFar(); now <= before[i]+more {
				behind += fmt.Sprintf("%s %d of %d more; ", what, now-before[i], more)
			}
		}
		return behind
	})
}
