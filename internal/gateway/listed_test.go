package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq/remoting"
)

// inJSON is how long something is as the control API answers it.
func inJSON(t *testing.T, v any) int {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return len(printable.JSON(text))
}

// Who opens thousands of connections that say long names keeps nobody else out of the state, and
// doesn't make it longer than callers read.
func TestClientsFillTheStateOnlySoFar(t *testing.T) {
	clients := map[string]Connected{}
	for i := range 10_000 {
		id := fmt.Sprintf("%06d%s", i, strings.Repeat("\u009b", (longestName-6)/2))
		clients[id] = Connected{
			ID: id, Address: fmt.Sprintf("192.0.2.1:%d", i), Problem: "x",
			AccessKey: strings.Repeat("\x01", longestName),
			Groups:    []string{strings.Repeat("<", longestGroup)},
		}
	}
	for i := range 100 {
		id := fmt.Sprint("zz-", i)
		clients[id] = Connected{ID: id, Address: fmt.Sprintf("192.0.2.%d:1", 2+i)}
	}
	all, more := listed(maps.Values(clients))
	assert.Less(t, inJSON(t, all), mostListed)
	assert.Equal(t, len(clients), len(all)+more)
	assert.Greater(t, len(all), 1000)
	kept := map[string]bool{}
	for _, c := range all {
		kept[c.ID] = true
	}
	for i := range 100 {
		assert.True(t, kept[fmt.Sprint("zz-", i)], i)
	}
	one := Connected{Groups: make([]string, 100_000), Topics: make([]string, 10)}.short()
	assert.Len(t, one.Groups, mostOfClient)
	assert.Equal(t, 100_000-mostOfClient, one.More)
}

// Groups that clients invent leave those in the state that something depends on.
func TestInventedGroupsFillTheStateOnlySoFar(t *testing.T) {
	g := newGuarded(t, appKeys)
	v := g.queue(target)
	v.group = "billing"
	long := strings.Repeat("\u009b", (longestGroup-7)/2)
	const invented = 20_000
	for i := range invented {
		g.gateway.groups.asked(fmt.Appendf(nil, "%07d%s", i, long), v.queue)
	}
	g.request(remoting.CodeHeartbeat, 0, rightly, nil,
		`{"clientID":"one","consumerDataSet":[{"groupName":"zz-read"}]}`)
	is, _ := g.answer()
	require.Equal(t, remoting.Success, is)
	g.gateway.groups.asked([]byte("zz-read"), v.queue)

	g.gateway.ports.all = []*port{{dest: nameServers, listener: g.source.Listener}}
	c, err := NewControl(g.gateway, testToken)
	require.NoError(t, err)
	server := httptest.NewServer(c.Handler())
	defer server.Close()
	state, err := NewClient(server.URL, Access{Token: testToken}).State(t.Context())
	require.NoError(t, err)
	assert.Less(t, inJSON(t, state), 2*mostListed)
	assert.Positive(t, state.GroupsMore)
	assert.Equal(t, invented+2, len(state.Groups)+state.GroupsMore)
	led := map[string]bool{}
	for _, one := range state.Groups {
		led[one.Group] = true
	}
	assert.True(t, led["billing"], "it has moved")
	assert.True(t, led["zz-read"], "it has members")

	members, err := NewClient(server.URL, Access{Token: testToken}).Members(t.Context(), "zz-read")
	require.NoError(t, err)
	require.Len(t, members.Clients, 1)
	assert.Equal(t, "one", members.Clients[0].ID)
	members, err = NewClient(server.URL, Access{Token: testToken}).Members(t.Context(), "billing")
	require.NoError(t, err)
	assert.Empty(t, members.Clients)
}

// Members past the gateway have ids that no bound here is for.
func TestMembersPastTheGatewayAreToldInShort(t *testing.T) {
	long := HeldQueue{Members: []string{strings.Repeat("x", 1<<20)}}
	m := MixedGroup{Group: "billing", Contested: []HeldQueue{long}}
	for range 1000 {
		m.Past = append(m.Past, strings.Repeat("x", 1<<10)+" at 192.0.2.1:1")
	}
	short := m.short()
	assert.Less(t, inJSON(t, short), (mostPast+2)*(longestPast+10))
	assert.Equal(t, 900, short.More)
	assert.Len(t, m.Contested[0].Members[0], 1<<20, "what is known stays")
}
