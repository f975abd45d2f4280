package gateway

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
)

// Producers that write to a broker without the gateway are found, with their addresses, and homes
// don't move before they have stopped. Those behind the gateway, and what rocketshift writes
// itself, aren't taken for such.
func TestLongProducersPastTheGatewayBlockHomes(t *testing.T) {
	t.Parallel()
	r := newRig(t, "passers")
	orders, apart := r.topic("orders", 1), r.topic("apart", 1)
	audit := r.group("audit")
	r.replicate()
	g := r.open()
	g.checks.Bypassing.Life = 10 * time.Second // longer than a stall between a look and what it has found
	read := r.consume(audit, orders, 1, false)
	behind, other := r.produce(orders, "behind", 4, 20*time.Millisecond), r.produce(apart, "apart", 2,
		5*time.Millisecond)
	home := func(topic, to string) control.Move {
		return control.Move{
			Kind:   control.KindHome,
			To:     to,
			Topics: []string{topic},
			ID:     "passed-" + topic + "-" + to,
			Budget: control.Duration(2 * time.Second),
		}
	}
	look := func() []control.Bypass {
		var is control.State
		r.await("the gateway knows who writes past it", func() string { // a broker may answer too late
			g.checks.LookForBypassing(r.ctx)
			is = g.State()
			return is.BypassUnknown
		})
		return slices.DeleteFunc(is.Bypass,
			func(b control.Bypass) bool { return b.Topic != orders && b.Topic != apart }) // other tests' topics
	}
	for range 3 {
		r.untilMore(50, behind)
		require.Empty(t, look())
	}
	r.control()
	past := r.at(r.source.NameServers()[0]).produce(orders, "past", 2, 5*time.Millisecond)
	r.eventually("the producer past the gateway is found", func() bool { return len(look()) > 0 })
	for _, one := range look() {
		assert.Equal(t, orders, one.Topic)
		assert.Equal(t, "source", one.Side)
		assert.Positive(t, one.Messages)
	}
	_, err := g.Move(r.ctx, home(orders, "target"))
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "topic "+orders+" of the source from 127.0.0.1:")
	r.move(home(apart, "target"))
	past.end()
	r.eventually("nobody writes past the gateway any more", func() bool { return len(look()) == 0 })
	r.move(home(orders, "target"))
	r.untilMore(100, behind) // to the target
	require.Empty(t, look())
	r.move(home(orders, "source"))
	behind.end()
	other.end()
	read.untilRead(behind)
	r.sentWell(read, behind)
	other.fine()
	read.untilRead(past)
	v := read.judge(behind)
	assert.Zero(t, v.lost+v.duplicated, "%+v", v)
	v = read.judge(past)
	assert.Zero(t, v.lost+v.duplicated, "%+v", v)
}
