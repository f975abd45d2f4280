package gateway

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq/remoting"
)

// lengthOf is how long something is as the control API answers it.
func lengthOf(t *testing.T, v any) int {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return len(printable.JSON(text))
}

// Groups that clients invent leave those in the state that something depends on.
func TestInventedGroupsFillTheStateOnlySoFar(t *testing.T) {
	g := newGuarded(t, appKeys)
	v := g.queue(routing.Target)
	v.Group = "billing"
	long := strings.Repeat("\u009b", (bodies.LongestGroup-7)/2)
	const invented = 20_000
	for i := range invented {
		g.gateway.table.Groups.Asked(fmt.Appendf(nil, "%07d%s", i, long), v.Queue)
	}
	g.request(remoting.CodeHeartbeat, 0, rightly, nil,
		`{"clientID":"one","consumerDataSet":[{"groupName":"zz-read"}]}`)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is)
	g.gateway.table.Groups.Asked([]byte("zz-read"), v.Queue)

	g.gateway.clients.ports.all = []*port{{Dest: routing.NameServers, listener: g.source.Listener}}
	c, err := controlserver.New(g.gateway, testToken)
	require.NoError(t, err)
	server := httptest.NewServer(c.Handler())
	defer server.Close()
	state, err := control.NewClient(server.URL, control.Access{Token: testToken}).State(t.Context())
	require.NoError(t, err)
	assert.Less(t, lengthOf(t, state), 2*control.MostListed)
	assert.Positive(t, state.GroupsMore)
	assert.Equal(t, invented+2, len(state.Groups)+state.GroupsMore)
	led := map[string]bool{}
	for _, one := range state.Groups {
		led[one.Group] = true
	}
	assert.True(t, led["billing"], "it has moved")
	assert.True(t, led["zz-read"], "it has members")

	members, err := control.NewClient(server.URL, control.Access{Token: testToken}).Members(t.Context(), "zz-read")
	require.NoError(t, err)
	require.Len(t, members.Clients, 1)
	assert.Equal(t, "one", members.Clients[0].ID)
	members, err = control.NewClient(server.URL, control.Access{Token: testToken}).Members(t.Context(), "billing")
	require.NoError(t, err)
	assert.Empty(t, members.Clients)
}
