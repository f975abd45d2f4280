package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/sleep"
)

// memberLife is after how long without a heartbeat brokers strike a member off
// (ConsumerManager.CHANNEL_EXPIRED_TIMEOUT, 5.3.3).
const memberLife = 120 * time.Second

// failedSoFar is how many attempts to send have failed so far.
func (l *load) failedSoFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed + len(l.faults) + len(l.late)
}

// All of the source dies when everything is on the target. Both gateways of the migration send on,
// to ordered topics too, for longer than a lease of the source would last; a move is refused or
// done as a whole; one gateway is killed and comes back; groups read on for longer than the target
// lists members whose heartbeats don't come. Nothing is lost, repeated, or out of order.
func TestLongTwoGatewaysGoOnWithoutTheSource(t *testing.T) {
	t.Parallel()
	own := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Dying", Version: "4.9.7", Brokers: 2})
	r := newRigBetween(t, "dying", own, labtest.Cluster(t, "5.3.3"))
	r.breaks = breaksGateways
	orders, billing, audit := r.topic("orders", 2), r.group("billing"), r.group("audit")
	r.replicate()
	base := r.config
	p := r.spawnPair("")
	p.behind(0)
	ordered := r.consume(billing, orders, 1, true)
	concurrent := r.javaConsume(audit, 2, javaclient.Consumer{
		Version: "4.9.7", Topic: orders, Mode: javaclient.Concurrent,
	})
	r.warmUp(orders, ordered, concurrent)
	p.behind(1)
	two := r.produce(orders, "two", 4, 20*time.Millisecond)
	p.behind(0)
	one := r.produce(orders, "one", 4, 20*time.Millisecond)
	all := []flow{one, two, ordered, concurrent}
	r.untilMore(100, all...)
	p.moves("side", control.Move{Kind: control.KindSide, To: "target", Groups: []string{billing, audit}})
	p.moves("home", control.Move{Kind: control.KindHome, To: "target", Topics: []string{orders}})
	p.moves("authority", control.Move{Kind: control.KindAuthority, To: "target"})
	p.agree()
	r.untilMore(100, all...)

	for _, b := range own.Brokers {
		require.NoError(t, own.KillBroker(b.Name))
	}
	died := time.Now()
	failed := [2]int{one.failedSoFar(), two.failedSoFar()}
	r.untilMore(200, all...)
	was, err := p.all[0].client.Move(r.ctx, control.Move{
		ID: "back", Kind: control.KindHome, To: "source", Topics: []string{orders},
		Budget: control.Duration(time.Second),
	})
	require.False(t, was.Done)
	t.Log("a move without the source: ", was.Reason, err)
	p.agree()
	require.NoError(t, sleep.For(r.ctx, time.Until(died.Add(rounds.LeaseTime+20*time.Second))))
	for _, is := range p.states() {
		assert.False(t, is.Fenced, "gateway %s", is.Gateway)
		assert.Empty(t, is.Round)
	}
	r.untilMore(200, all...)
	assert.Equal(t, failed, [2]int{one.failedSoFar(), two.failedSoFar()}, "no send fails while the source is dead")

	p.all[1].kill()
	p.start(1, base, "")
	p.introduce()
	p.agree()
	r.untilMore(200, all...)
	require.NoError(t, sleep.For(r.ctx, time.Until(died.Add(memberLife+30*time.Second))))
	r.untilMore(200, all...)
	one.end()
	two.end()
	for _, l := range []*load{one, two} {
		for _, rs := range []*readers{ordered, concurrent} {
			rs.untilRead(l)
			v := rs.judge(l)
			if rs == concurrent {
				v.outOfOrder = 0
			}
			assert.Equal(t, verdict{}, v, fmt.Sprint(rs.group, " of ", l.name))
		}
		r.sentWell(ordered, l)
	}
	t.Log(one, "; ", two)
}
