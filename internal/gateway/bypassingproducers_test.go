package gateway

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/replica"
)

func TestOnlyMessagesThatAProducerHasJustWrittenAreJudged(t *testing.T) {
	of := func(name, value string) []byte {
		return remoting.EncodeProperties([]remoting.Property{{Name: "KEYS", Value: "k"}, {Name: name, Value: value}})
	}
	for name, c := range map[string]struct {
		m    remoting.Message
		want bool
	}{
		"plain":                   {remoting.Message{Properties: of("TAGS", "t")}, true},
		"nothing":                 {remoting.Message{}, true},
		"of a transaction":        {remoting.Message{SysFlag: remoting.FlagTransaction & 8}, false},
		"delayed":                 {remoting.Message{Properties: of(remoting.PropDelay, "3")}, false},
		"delivered after a delay": {remoting.Message{Properties: of(remoting.PropRealTopic, "orders")}, false},
		"timed":                   {remoting.Message{Properties: of("TIMER_OUT_MS", "7")}, false},
		"copied":                  {remoting.Message{Properties: of(replica.StampProperty, replica.Stamp{Cluster: "S", Topic: "orders", Broker: "a", Place: "p"}.String())}, false},
	} {
		assert.Equal(t, c.want, newlyWritten(&c.m), name)
	}
}

func TestProducersThatStoppedDontCount(t *testing.T) {
	p := bypassingProducers{life: time.Minute}
	at := netip.MustParseAddrPort("10.0.0.7:4711")
	p.note(bypassingProducer{"orders", routing.Source, at})
	p.note(bypassingProducer{"orders", routing.Source, at})
	p.note(bypassingProducer{"billing", routing.Target, at})
	all, _ := p.list()
	require.Len(t, all, 2)
	assert.Equal(t, "billing", all[0].Topic)
	assert.Equal(t,
		control.Bypass{Topic: "orders", Side: "source", Address: "10.0.0.7:4711", Messages: 2, Last: all[1].Last},
		all[1])
	p.life = 0
	all, _ = p.list()
	assert.Empty(t, all)
}

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
	g.checks.bypassing.life = 10 * time.Second // longer than a stall between a look and what it has found
	read := r.consume(audit, orders, 1, false)
	behind, other := r.produce(orders, "behind", 4, 5*time.Millisecond), r.produce(apart, "apart", 2,
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
			g.lookForBypassing(r.ctx)
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
