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

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// transactions are a load of a Java producer that decides on each.
type transactions struct {
	*load

	mu   sync.Mutex
	ends ledger
}

// ledger is what a client has told brokers of transactions, by messages and the attempts to send
// them.
type ledger map[message]map[string]*ending

// ending is what a client told of one attempt.
type ending struct {
	commits   int // that it sent: one at once, and one each time that a broker asked
	rollbacks int
	asked     int // how often brokers asked
}

// note takes note of something that was told.
func (l ledger) note(m message, attempt string, asked, commits, rollsBack bool) {
	if l[m] == nil {
		l[m] = map[string]*ending{}
	}
	e := l[m][attempt]
	if e == nil {
		e = &ending{}
		l[m][attempt] = e
	}
	if asked {
		e.asked++
	}
	if commits {
		e.commits++
	}
	if rollsBack {
		e.rollbacks++
	}
}

// transactions starts a Java producer of transactions.
func (r *rig) transactions(topic, name string, pause time.Duration) *transactions {
	r.Helper()
	l := &transactions{load: r.newLoad(topic, name), ends: ledger{}}
	p := javaclient.Producer{
		Version: "4.9.7", NameServer: r.entrance, Topic: topic, Group: r.nameOf(name), Instance: name, Kind: javaclient.Transaction, Prefix: name, Keys: 2, Pause: pause,
		Acked: l.ack, Failed: l.failedIn,
		Ended: func(e javaclient.Ending) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.ends.note(message{e.Key, e.Number}, e.Attempt, e.Asked, e.Is == javaclient.Commit,
				e.Is == javaclient.Rollback)
		},
	}.Start(r)
	l.done.Go(func() {
		<-l.stop
		assert.NoError(r, p.Quiet())
	})
	r.Cleanup(l.end)
	return l
}

// ends are what became of transactions, by attempts to send them. Applications decide once, and
// answer that whenever they are asked.
type ends struct {
	committed, rolledBack int // attempts for which the client sent this
	late                  int // of these, such as brokers have asked for
	lost                  int // delivered never, though the client sent a commit
	undone                int // delivered, though it sent none
	repeated              int // delivered more often than it sent commits, so at most once where it sent one
	// delivered more than once, by as many commits: a 5.3.3 broker may carry out several of one
	// message, with and without a gateway
	twice int
}

// wrong is what nothing but the gateway can have done. What is in twice isn't wrong: each of these
// deliveries has a commit of its own, which the client sent.
func (e ends) wrong() int { return e.lost + e.undone + e.repeated }

// judge compares what was delivered with what clients have told brokers.
func (l ledger) judge(delivered func(message) map[string]int) (e ends) {
	for m, attempts := range l {
		times := delivered(m)
		for attempt, is := range attempts {
			e.committed += min(is.commits, 1)
			e.rolledBack += min(is.rollbacks, 1)
			e.late += min(is.asked, 1)
			switch got := times[attempt]; {
			case is.commits == 0:
				e.undone += got
			case got == 0:
				e.lost++
			default:
				e.repeated += max(0, got-is.commits)
				e.twice += min(got, is.commits) - 1
			}
		}
	}
	return e
}

// judgeTransactions waits until the group has got all that was committed, and tells what became of
// the load.
func (rs *readers) judgeTransactions(l *transactions) (e ends) {
	rs.Helper()
	rs.await("group "+rs.group+" has got all that was committed", func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		if e = l.ends.judge(rs.times); e.lost == 0 {
			return ""
		}
		return fmt.Sprintf("%+v", e)
	})
	return e
}

// pullInto starts a stock client that polls.
func (rs *readers) pullInto(topic string) {
	rs.Helper()
	c, err := stock.NewPullConsumer(
		consumer.WithGroupName(rs.group),
		consumer.WithInstance(rs.group),
		consumer.WithNsResolver(
			primitive.NewPassthroughResolver([]string{rs.entrance}),
		),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	require.NoError(rs, err)
	require.NoError(rs, c.Subscribe(topic, consumer.MessageSelector{}))
	require.NoError(rs, c.Start())
	life := newLife(rs.group)
	ctx, stop := context.WithCancel(rs.ctx)
	var polling sync.WaitGroup
	polling.Go(func() {
		for ctx.Err() == nil {
			got, err := c.Poll(ctx, time.Second)
			if err != nil {
				continue // nothing came
			}
			for _, m := range got.GetMsgList() {
				rs.take(rs.group, life, m)
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

// Transactions that are decided at once, or when a broker asks for them, delayed messages and
// messages that fail cross moves there and back five times: each is delivered once to groups of
// every kind, and none that was rolled back. A producer straight to a 5.3.3 broker is there to
// compare with.
func TestLongTransactionsDelaysAndRetriesCrossMovesFiveTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t, "kinds5")
	topic, group := r.topic("kinds", 2), r.group("readers")
	tagged, polled, java := r.newReaders(r.group("tag"), 1), r.newReaders(r.group("poll"), 1), r.newReaders(
		r.group("java"), 1,
	)
	straight := r.at(r.target.NameServers()[0])
	controls, apart := straight.newReaders(r.group("control"), 1), r.nameOf("control")
	for _, b := range r.brokers(r.target) {
		r.make(r.target, b, apart, 4)
	}
	r.replicate()
	r.open()
	k := r.consume(group, topic, 1, false).mixture(topic)
	controls.join(apart, "kinds-control-0", false)
	tagged.wants = func(n int) bool { return n%3 != 0 }
	tagged.joinFor(r.entrance, topic, "kinds-tag-0",
		consumer.MessageSelector{Type: consumer.TAG, Expression: "tag1 || tag2"}, false)
	polled.pullInto(topic)
	java.javaJoin(
		javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: javaclient.Concurrent, Instance: "kinds-java-0"},
	)
	delayed := r.javaProduceAs(topic, "4.9.7", javaclient.Delayed, "kinds-delayed", 2, 100*time.Millisecond)
	decided := r.transactions(topic, "kinds-decided", 100*time.Millisecond)
	controlled := straight.transactions(apart, "kinds-straight", 100*time.Millisecond)

	groups := []string{group, tagged.group, polled.group, java.group}
	rounds := labtest.Rounds(5, 2)
	for round := range rounds {
		for _, to := range []string{"target", "source"} {
			k.send(fmt.Sprint("-", round, "-before-", to, "-"), 2)
			r.untilMore(15, decided, delayed)
			r.move(control.Move{Kind: control.KindSide, To: to, Groups: groups})
			r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{topic}})
		}
	}
	k.send("-end-", 2)
	for _, l := range []*load{decided.load, delayed, controlled.load} {
		l.end()
	}
	r.sentWell(k.readers, decided.load, delayed)
	k.untilDelivered()
	straightEnds := controls.judgeTransactions(controlled)
	for _, rs := range []*readers{k.readers, polled, java, tagged} {
		rs.untilRead(decided.load)
		rs.untilRead(delayed)
		v := rs.judge(delayed)
		v.outOfOrder = 0
		assert.Equal(t, verdict{}, v, "delayed messages, group %s", rs.group)
		if rs == tagged {
			continue // it doesn't get all that was committed
		}
		e := rs.judgeTransactions(decided)
		t.Logf("group %s: %+v; straight to a 5.3.3 broker: %+v", rs.group, e, straightEnds)
		assert.Zero(t, e.wrong(), "transactions, group %s: %+v", rs.group, e)
		assert.Positive(t, e.late, "brokers ask for the ends of some")
	}
	k.deliveredOnce(2 + 4*rounds)
}
