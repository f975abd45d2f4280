package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// Stock clients send and read by keys through the gateway, while groups and homes go to the target
// and back.
func TestLiveGroupsAndHomesMoveUnderLoad(t *testing.T) {
	r := newRig(t, "moves")
	orders, billing, audit := r.topic("orders", 2), r.group("billing"), r.group("audit")
	r.replicate()
	r.open()
	// One orderly member: a second one of this client may wait for the first one's locks for over a
	// minute, with and without a gateway.
	ordered, concurrent := r.consume(billing, orders, 1, true), r.consume(audit, orders, 2, false)
	r.warmUp(orders, ordered, concurrent)
	r.control()
	load := r.produce(orders, "key", 16, 20*time.Millisecond)
	for range 5 {
		for _, m := range []control.Move{
			{Kind: control.KindSide, To: "target", Groups: []string{billing}},
			{Kind: control.KindSide, To: "target", Groups: []string{audit}},
			{Kind: control.KindHome, To: "target", Topics: []string{orders}},
			{Kind: control.KindHome, To: "source", Topics: []string{orders}},
			{Kind: control.KindSide, To: "source", Groups: []string{audit, billing}},
		} {
			was := r.move(m)
			t.Logf("%s of %v%v to %s: %d in %s", m.Kind, m.Groups, m.Topics, m.To, was.Moved, time.Duration(was.Held))
			r.untilMore(300, load, ordered, concurrent)
		}
	}
	load.end()
	ordered.untilRead(load)
	concurrent.untilRead(load)
	r.sentWell(ordered, load)
	assert.Equal(t, verdict{}, ordered.judge(load))
	concurrentVerdict := concurrent.judge(load)
	assert.Zero(t, concurrentVerdict.lost+concurrentVerdict.duplicated)
	t.Log(load)
}

// A group that has read all copies goes back to the source, which holds messages that aren't copied
// yet: it reads on with the first of them. What the brokers hold counts as old, as in clusters that
// have been used: only then do they say that a group has no position, and else that it is 0.
func TestLiveAGroupGoesBackFromWhereTheCopiesEnd(t *testing.T) {
	t.Parallel()
	used := labtest.OwnCluster(t, lab.ClusterSpec{
		Name:    "Used",
		Version: "4.9.7",
		Brokers: 1,
		Config:  map[string]string{"accessMessageInMemoryMaxRatio": "0"},
	})
	r := newRigBetween(t, "early", used, labtest.Cluster(t, "5.3.3"))
	orders, billing, audit := r.topic("orders", 4), r.group("billing"), r.group("audit")
	stopLanes := r.replicate()
	r.open()
	ordered, concurrent := r.consume(billing, orders, 1, true), r.consume(audit, orders, 1, false)
	r.warmUp(orders, ordered, concurrent)
	r.control()
	send := func(prefix string, more int64) *load {
		load := r.produce(orders, prefix, 16, time.Millisecond)
		r.untilMore(more, load)
		load.end()
		return load
	}
	var loads []*load
	for round := range 2 {
		r.move(control.Move{Kind: control.KindSide, To: "target", Groups: []string{billing, audit}})
		copied := send(fmt.Sprint("copied", round, "x"), 300)
		ordered.untilRead(copied)
		concurrent.untilRead(copied)
		stopLanes()
		waiting := send(fmt.Sprint("waiting", round, "x"), 300)
		r.move(control.Move{Kind: control.KindSide, To: "source", Groups: []string{billing, audit}})
		ordered.untilRead(waiting)
		concurrent.untilRead(waiting)
		stopLanes = r.replicate()
		loads = append(loads, copied, waiting)
	}
	r.sentWell(ordered, loads...)
	for _, l := range loads {
		assert.Equal(t, verdict{}, ordered.judge(l))
		v := concurrent.judge(l)
		assert.Zero(t, v.lost+v.duplicated, "%+v", v)
	}
}
