package gateway

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
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

// Stock clients that know nothing of proxies cross moves to a target that is reached through one,
// and back.
func TestLongTargetBehindAProxy(t *testing.T) {
	t.Parallel()
	r := newRigBehindProxy(t, "proxied")
	orders, billing, audit := r.topic("orders", 2), r.group("billing"), r.group("audit")
	for _, b := range r.brokers(r.admin) { // which orderly producers of 4.x don't fit
		require.NoError(t, r.admin.Client().CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{
			Name: orders, ReadQueues: 4, WriteQueues: 4, Perm: 6, Attributes: map[string]string{"message.type": "FIFO"},
		}))
	}
	r.replicate()
	r.open()
	ordered, concurrent := r.consume(billing, orders, 1, true), r.javaConsume(audit, 2,
		javaclient.Consumer{Version: "4.9.7", Topic: orders, Mode: javaclient.Concurrent})
	r.warmUp(orders, ordered, concurrent)
	r.control()
	sent, java := r.produce(orders, "key", 8, 20*time.Millisecond), r.javaProduce(orders, "4.9.7",
		javaclient.Ordered, 4, 20*time.Millisecond)
	for range labtest.Rounds(2, 1) {
		for _, m := range []control.Move{
			{Kind: control.KindSide, To: "target", Groups: []string{billing, audit}},
			{Kind: control.KindHome, To: "target", Topics: []string{orders}},
			{Kind: control.KindAuthority, To: "target"},
			{Kind: control.KindAuthority, To: "source"},
			{Kind: control.KindHome, To: "source", Topics: []string{orders}},
			{Kind: control.KindSide, To: "source", Groups: []string{audit, billing}},
		} {
			was := r.move(m)
			t.Logf("%s of %v%v to %s: %d in %s", m.Kind, m.Groups, m.Topics, m.To, was.Moved, time.Duration(was.Held))
			r.untilMore(200, sent, ordered, concurrent)
			r.untilMore(50, java)
		}
	}
	sent.end()
	java.end()
	for _, rs := range []*readers{ordered, concurrent} {
		for _, l := range []*load{sent, java} {
			rs.untilRead(l)
			r.sentWell(rs, l)
			v := rs.judge(l)
			assert.Zero(t, v.lost+v.duplicated, rs.group)
			assert.True(t, rs == concurrent || v.outOfOrder == 0, "%s: %d out of order", rs.group, v.outOfOrder)
		}
	}
	t.Log(sent, "; ", java)
}

// Half messages stay on the source while the target is behind a proxy; delayed messages and such as
// fail go there.
func TestLongTransactionsDelaysAndRetriesCrossMovesToAProxy(t *testing.T) {
	labtest.Loop(t)
	t.Parallel()
	r := newRigBehindProxy(t, "proxied-kinds")
	topic, group := r.topic("kinds", 2), r.group("readers")
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
	decided := r.transactions(topic, "proxied-decided", 50*time.Millisecond)
	delayed := r.javaProduceAs(topic, "4.9.7", javaclient.Delayed, "proxied-delayed", 2, 50*time.Millisecond)
	for _, to := range []string{"target", "source"} {
		r.move(control.Move{Kind: control.KindSide, To: to, Groups: []string{group}})
		r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{topic}})
		before := failed.Load()
		r.untilMore(50, decided, delayed)
		r.await("members fail messages", func() string {
			if failed.Load() > before+5 {
				return ""
			}
			return fmt.Sprintf("%d of 5 more", failed.Load()-before)
		})
	}
	decided.end()
	delayed.end()
	readers.untilRead(decided.load)
	readers.untilRead(delayed)
	r.sentWell(readers, delayed, decided.load)
	assert.Zero(t, readers.judge(delayed).duplicated, "delayed messages")
	e := readers.judgeTransactions(decided)
	assert.Zero(t, e.wrong(), "%+v", e)
	t.Logf("%d transactions, %+v; %d delayed, %d failed once", decided.sent.Load(), e, delayed.sent.Load(),
		failed.Load())
}
