package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// A member is behind the gateway by what its client reads with the group itself.
func TestAMemberThatDoesNotReadWithItsGroupIsPast(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Source)
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, requests()[remoting.CodeHeartbeat].body)
	g.answer()
	const straight = "10.0.0.9:4711"
	members := map[string]replicas.Member{"one": {At: straight, Connections: []string{straight}}}
	for group, is := range map[string][]string{"billing": nil, "audit": {"one at " + straight}} {
		here, err := g.gateway.checks.BehindAll(t.Context(), group)
		require.NoError(t, err)
		assert.Equal(t, is, checks.Past(members, here), "group %s", group)
	}
}
