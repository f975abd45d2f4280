package gateway

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/javaclient"
)

// transactions starts a Java producer of transactions, and counts how often brokers ask for each.
func (r *rig) transactions(topic, name string, pause time.Duration) (l *load, asked func(key string, number int) int) {
	r.Helper()
	l = r.newLoad(topic)
	var mu sync.Mutex
	counts := map[string]int{}
	p := javaclient.Producer{
		Version: "4.9.7", NameServer: r.entrance, Topic: topic, Group: name, Instance: name, Kind: javaclient.Transaction, Prefix: name, Keys: 2, Pause: pause,
		Acked: l.ack, Failed: func(key string, n int, why string) { l.fail(key, n, why) },
		Checked: func(key string, n int) {
			mu.Lock()
			defer mu.Unlock()
			counts[fmt.Sprint(key, " ", n)]++
		},
	}.Start(r)
	l.done.Go(func() {
		<-l.stop
		assert.NoError(r, p.Quiet())
	})
	r.Cleanup(l.end)
	return l, func(key string, n int) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[fmt.Sprint(key, " ", n)]
	}
}

// ends are what became of a load of transactions.
type ends struct {
	late, // those that brokers asked for
	askedAgain, // of these, those that they asked for more than once
	repeated, // those that were delivered more than once, though asked for at most once
	repeatedAgain, // and though asked for more often: a 5.3.3 broker may commit these twice, with and without a gateway
	undone int // those that were rolled back, and delivered
}

func (rs *readers) judgeTransactions(l *load, asked func(string, int) int) (e ends) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for key := range l.acked {
		times := map[int]int{}
		for _, n := range rs.seen[key] {
			if times[n]++; times[n] == 1 && n%3 == 1 {
				e.undone++
			}
		}
		for n := range l.acked[key] {
			again := asked(key, n)
			e.late += min(again, 1)
			switch {
			case again > 1:
				e.askedAgain++
				e.repeatedAgain += times[n] - 1
			default:
				e.repeated += times[n] - 1
			}
		}
	}
	return e
}

// pullInto starts a stock client that polls.
func (rs *readers) pullInto(topic string) {
	rs.Helper()
	c, err := stock.NewPullConsumer(consumer.WithGroupName(rs.group), consumer.WithInstance(rs.group),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{rs.entrance})), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	require.NoError(rs, err)
	require.NoError(rs, c.Subscribe(topic, consumer.MessageSelector{}))
	require.NoError(rs, c.Start())
	ctx, stop := context.WithCancel(rs.ctx)
	var polling sync.WaitGroup
	polling.Go(func() {
		for ctx.Err() == nil {
			got, err := c.Poll(ctx, time.Second)
			if err != nil {
				continue // nothing came
			}
			for _, m := range got.GetMsgList() {
				rs.take(rs.group, m)
			}
			c.ACK(ctx, got, consumer.ConsumeSuccess)
		}
	})
	rs.Cleanup(func() {
		stop()
		polling.Wait()
		_ = c.Shutdown()
	})
}

// Transactions that are decided at once, or when a broker asks for them, delayed messages and messages that fail cross moves there and back five times: each
// is delivered once to groups of every kind. Whether it is the gateway that repeats transactions is judged by a producer straight to a 5.3.3 broker.
func TestLiveTransactionsDelaysAndRetriesCrossMovesFiveTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t, "kinds")
	topic, group := r.topic("kinds", 2), r.group("kinds-readers")
	tagged, polled, java := r.newReaders(r.group("kinds-tag"), 1), r.newReaders(r.group("kinds-poll"), 1), r.newReaders(r.group("kinds-java"), 1)
	straight := r.at(r.target.NameServers()[0])
	control := straight.newReaders(r.group("kinds-control"), 1)
	for _, b := range r.brokers(r.target) {
		r.make(r.target, b, "kinds-control", 4)
	}
	r.replicate()
	r.open()
	k := r.consume(group, topic, 1, false).mixture(topic)
	control.join("kinds-control", "kinds-control-0", false)
	tagged.wants = func(n int) bool { return n%3 != 0 }
	tagged.joinFor(r.entrance, topic, "kinds-tag-0", consumer.MessageSelector{Type: consumer.TAG, Expression: "tag1 || tag2"}, false)
	polled.pullInto(topic)
	java.javaJoin(javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: javaclient.Concurrent, Instance: "kinds-java-0"})
	delayed := r.javaProduceAs(topic, "4.9.7", javaclient.Delayed, "kinds-delayed", 2, 100*time.Millisecond)
	decided, asked := r.transactions(topic, "kinds-decided", 100*time.Millisecond)
	controlled, askedStraight := straight.transactions("kinds-control", "kinds-straight", 100*time.Millisecond)

	groups := []string{group, tagged.group, polled.group, java.group}
	for round := range 5 {
		for _, to := range []string{"target", "source"} {
			before := [...]int64{decided.sent.Load(), delayed.sent.Load()}
			k.send(fmt.Sprint("-", round, "-before-", to, "-"), 2)
			r.eventually("Java producers go on", func() bool {
				return decided.sent.Load() > before[0]+15 && delayed.sent.Load() > before[1]+15
			})
			r.move(Move{Kind: KindSide, To: to, Groups: groups})
			r.move(Move{Kind: KindHome, To: to, Topics: []string{topic}})
		}
	}
	k.send("-end-", 2)
	for _, l := range []*load{decided, delayed, controlled} {
		l.end()
		assert.Empty(t, l.errors)
	}
	k.untilDelivered()
	control.untilRead(controlled)
	straightEnds := control.judgeTransactions(controlled, askedStraight)
	assert.Zero(t, straightEnds.undone)
	for _, rs := range []*readers{k.readers, polled, java, tagged} {
		rs.untilRead(decided)
		rs.untilRead(delayed)
		v := rs.judge(delayed)
		v.outOfOrder = 0
		assert.Equal(t, verdict{}, v, "delayed messages, group %s", rs.group)
		if rs == tagged {
			continue // what it doesn't want isn't repeated
		}
		e := rs.judgeTransactions(decided, asked)
		t.Logf("group %s: %+v of %d; straight to a 5.3.3 broker: %+v of %d", rs.group, e, decided.sent.Load(), straightEnds, controlled.sent.Load())
		assert.Zero(t, e.repeated+e.undone, "transactions, group %s", rs.group)
		assert.Positive(t, e.late, "brokers ask for the ends of some")
	}
	k.deliveredOnce(22)
}
