package checks

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
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
	p := BypassingProducers{Life: time.Minute}
	at := netip.MustParseAddrPort("10.0.0.7:4711")
	p.Note(BypassingProducer{"orders", routing.Source, at})
	p.Note(BypassingProducer{"orders", routing.Source, at})
	p.Note(BypassingProducer{"billing", routing.Target, at})
	all, _ := p.List()
	require.Len(t, all, 2)
	assert.Equal(t, "billing", all[0].Topic)
	assert.Equal(t,
		control.Bypass{Topic: "orders", Side: "source", Address: "10.0.0.7:4711", Messages: 2, Last: all[1].Last},
		all[1])
	p.Life = 0
	all, _ = p.List()
	assert.Empty(t, all)
}

// Messages may say that they were born at any address.
func TestProducersPastTheGatewayHaveBounds(t *testing.T) {
	p := BypassingProducers{Life: bypassLife}
	for i := range 5000 {
		p.Note(BypassingProducer{"orders", routing.Source, addrPort(i)})
	}
	p.Note(BypassingProducer{"other", routing.Source, addrPort(0)})
	all, _ := p.List()
	assert.Len(t, all, MostPassers+1)
	for _, one := range p.found {
		one.Last = time.Now().Add(-2 * bypassLife)
	}
	p.Note(BypassingProducer{"orders", routing.Source, addrPort(9999)})
	assert.Len(t, p.found, 1, "those that have ended are forgotten, also when nobody lists them")
}

func addrPort(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(n))
}

// A member whose id another client behind a gateway has is past it all the same: by the address
// that its broker sees, or, where gateways' own can't be seen, as that client doesn't read with its
// group.
func TestAMemberIsNotBehindByItsIdAlone(t *testing.T) {
	const gateway, straight = "10.0.0.1:5000", "10.0.0.9:4711"
	of := func(addrs ...string) replicas.Member { return replicas.Member{At: addrs[0], Connections: addrs} }
	ids := map[string]bool{"one": true, "two": true}
	visible := behind{ids, map[netip.AddrPort]bool{netip.MustParseAddrPort(gateway): true}}
	hidden := behind{IDs: ids}
	for name, c := range map[string]struct {
		here    behind
		members map[string]replicas.Member
		past    []string
	}{
		"behind":            {visible, map[string]replicas.Member{"one": of(gateway)}, nil},
		"its id is unknown": {visible, map[string]replicas.Member{"new": of(gateway)}, nil},
		"past":              {visible, map[string]replicas.Member{"other": of(straight)}, []string{"other at " + straight}},
		"an id of one behind": {
			visible, map[string]replicas.Member{"one": of(straight), "two": of(gateway)}, []string{"one at " + straight},
		},
		"one id, on both ways": {
			visible, map[string]replicas.Member{"one": of(gateway, straight)}, []string{"one at " + straight},
		},
		"translated addresses": {
			visible, map[string]replicas.Member{"one": of("192.0.2.1:7"), "x": of(straight)}, []string{"x at " + straight},
		},
		"hidden addresses": {
			hidden, map[string]replicas.Member{"one": of("192.0.2.1:7"), "x": of(straight)}, []string{"x at " + straight},
		},
	} {
		assert.Equal(t, c.past, Past(c.members, c.here), name)
	}
}
