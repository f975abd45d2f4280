package gateway

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// A member whose id another client behind a gateway has is past it all the same: by the address
// that its broker sees, or, where gateways' own can't be seen, as that client doesn't read with its
// group.
func TestAMemberIsNotBehindByItsIdAlone(t *testing.T) {
	const gateway, straight = "10.0.0.1:5000", "10.0.0.9:4711"
	of := func(addrs ...string) replicas.Member { return replicas.Member{At: addrs[0], Connections: addrs} }
	ids := map[string]bool{"one": true, "two": true}
	visible := behind{ids, map[netip.AddrPort]bool{netip.MustParseAddrPort(gateway): true}}
	hidden := behind{ids: ids}
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
		assert.Equal(t, c.past, past(c.members, c.here), name)
	}

	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, requests()[remoting.CodeHeartbeat].body)
	g.answer()
	members := map[string]replicas.Member{"one": of(straight)}
	for group, is := range map[string][]string{"billing": nil, "audit": {"one at " + straight}} {
		here, err := g.gateway.behindAll(t.Context(), group)
		require.NoError(t, err)
		assert.Equal(t, is, past(members, here), "group %s", group)
	}
}
