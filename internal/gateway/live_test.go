package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Stock clients send and read by keys through the gateway, while groups and homes go to the target and back.
func TestLiveGroupsAndHomesMoveUnderLoad(t *testing.T) {
	r := newRig(t, "moves")
	orders, billing, audit := r.topic("orders", 2), r.group("billing"), r.group("audit")
	r.replicate()
	g := r.open()
	// One orderly member: a second one of this client may wait for the first one's locks for over a minute, with and without a gateway.
	ordered, concurrent := r.consume(billing, orders, 1, true), r.consume(audit, orders, 2, false)
	r.warmUp(orders, ordered, concurrent)
	load := r.produce(orders, "key", 16, 20*time.Millisecond)
	more := func() {
		at, o, c := load.sent.Load(), ordered.got.Load(), concurrent.got.Load()
		r.eventually("traffic flows", func() bool {
			return load.sent.Load() > at+300 && ordered.got.Load() > o+300 && concurrent.got.Load() > c+300
		})
	}
	for range 5 {
		for _, m := range []Move{
			{Kind: KindSide, To: "target", Groups: []string{billing}},
			{Kind: KindSide, To: "target", Groups: []string{audit}},
			{Kind: KindHome, To: "target", Topics: []string{orders}},
			{Kind: KindHome, To: "source", Topics: []string{orders}},
			{Kind: KindSide, To: "source", Groups: []string{audit, billing}},
		} {
			was := r.move(m)
			t.Logf("%s of %v%v to %s: %d in %s", m.Kind, m.Groups, m.Topics, m.To, was.Moved, time.Duration(was.Held))
			more()
		}
	}
	load.end()
	ordered.untilRead(load)
	concurrent.untilRead(load)
	assert.Empty(t, load.errors)
	assert.Equal(t, verdict{}, ordered.judge(load))
	concurrentVerdict := concurrent.judge(load)
	assert.Zero(t, concurrentVerdict.lost+concurrentVerdict.duplicated)
	t.Logf("%d sent, longest send %s; state %+v", load.sent.Load(), load.longest, g.State().Groups)
}
