package gateway

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

// newRigBehindProxy is a rig whose lanes and gateway reach the target through its proxy alone.
func newRigBehindProxy(t *testing.T, name string) *rig {
	t.Helper()
	target := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Proxy: true})
	r := newRigBetween(t, name, labtest.Cluster(t, "4.9.7"), target)
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	r.target = rocketmq.NewClusterBehind(client, target.ProxyRemoting)
	return r
}

// Stock clients that know nothing of proxies cross moves to a target that is reached through one, and back.
func TestLiveTargetBehindAProxy(t *testing.T) {
	t.Parallel()
	r := newRigBehindProxy(t, "proxied")
	orders, billing, audit := r.topic("proxied", 2), r.group("proxied-billing"), r.group("proxied-audit")
	for _, b := range r.brokers(r.admin) { // which orderly producers of 4.x don't fit
		require.NoError(t, r.admin.Client().CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{
			Name: orders, ReadQueues: 4, WriteQueues: 4, Perm: 6, Attributes: map[string]string{"message.type": "FIFO"},
		}))
	}
	r.replicate()
	g := r.open()
	ordered, concurrent := r.consume(billing, orders, 1, true), r.javaConsume(audit, 2, javaclient.Consumer{Version: "4.9.7", Topic: orders, Mode: javaclient.Concurrent})
	r.warmUp(orders, ordered, concurrent)
	sent, java := r.produce(orders, "key", 8, 5*time.Millisecond), r.javaProduce(orders, "4.9.7", javaclient.Ordered, 4, 5*time.Millisecond)
	more := func() {
		at, of, o, c := sent.sent.Load(), java.sent.Load(), ordered.got.Load(), concurrent.got.Load()
		r.eventually("traffic flows", func() bool {
			return sent.sent.Load() > at+200 && java.sent.Load() > of+50 && ordered.got.Load() > o+200 && concurrent.got.Load() > c+200
		})
	}
	for range 2 {
		for _, m := range []Move{
			{Kind: KindSide, To: "target", Groups: []string{billing, audit}},
			{Kind: KindHome, To: "target", Topics: []string{orders}},
			{Kind: KindAuthority, To: "target"},
			{Kind: KindAuthority, To: "source"},
			{Kind: KindHome, To: "source", Topics: []string{orders}},
			{Kind: KindSide, To: "source", Groups: []string{audit, billing}},
		} {
			was := r.move(m)
			t.Logf("%s of %v%v to %s: %d in %s", m.Kind, m.Groups, m.Topics, m.To, was.Moved, time.Duration(was.Held))
			more()
		}
	}
	sent.end()
	java.end()
	for _, rs := range []*readers{ordered, concurrent} {
		for _, l := range []*load{sent, java} {
			rs.untilRead(l)
			assert.Empty(t, l.errors)
			v := rs.judge(l)
			assert.Zero(t, v.lost+v.duplicated, rs.group)
			assert.True(t, rs == concurrent || v.outOfOrder == 0, "%s: %d out of order", rs.group, v.outOfOrder)
		}
	}
	t.Logf("%d and %d sent, longest send %s; state %+v", sent.sent.Load(), java.sent.Load(), sent.longest, g.State().Groups)
}

// Half messages stay on the source while the target is behind a proxy; delayed messages and such as fail go there.
func TestLiveTransactionsDelaysAndRetriesCrossMovesToAProxy(t *testing.T) {
	t.Parallel()
	r := newRigBehindProxy(t, "proxied-kinds")
	topic, group := r.topic("proxied-kinds", 2), r.group("proxied-kinds-readers")
	r.replicate()
	r.open()
	readers := r.newReaders(group, 1)
	var failed atomic.Int64
	readers.fail = func(_ string, n int, times int32) bool { // some fail once
		if n%10 == 0 && times == 0 {
			failed.Add(1)
			return true
		}
		return false
	}
	readers.join(topic, "proxied-kinds-0", false)
	decided, asked := r.transactions(topic, "proxied-decided", 50*time.Millisecond)
	delayed := r.javaProduceAs(topic, "4.9.7", javaclient.Delayed, "proxied-delayed", 2, 50*time.Millisecond)
	for _, to := range []string{"target", "source"} {
		r.move(Move{Kind: KindSide, To: to, Groups: []string{group}})
		r.move(Move{Kind: KindHome, To: to, Topics: []string{topic}})
		before := [...]int64{decided.sent.Load(), delayed.sent.Load(), failed.Load()}
		r.eventually("all kinds flow", func() bool {
			return decided.sent.Load() > before[0]+50 && delayed.sent.Load() > before[1]+50 && failed.Load() > before[2]+5
		})
	}
	decided.end()
	delayed.end()
	readers.untilRead(decided)
	readers.untilRead(delayed)
	assert.Empty(t, append(decided.errors, delayed.errors...))
	assert.Zero(t, readers.judge(delayed).duplicated, "delayed messages")
	e := readers.judgeTransactions(decided, asked)
	assert.Zero(t, e.repeated+e.undone, "%+v", e)
	t.Logf("%d transactions, %+v; %d delayed, %d failed once", decided.sent.Load(), e, delayed.sent.Load(), failed.Load())
}
