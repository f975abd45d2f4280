package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/printable"
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
		id := fmt.Sprintf("%06d%s", i, strings.Repeat("\u009b", (512-6)/2))
		clients[id] = Connected{
			ID: id, Address: fmt.Sprintf("192.0.2.1:%d", i), Problem: "x",
			AccessKey: strings.Repeat("\x01", 512),
			Groups:    []string{strings.Repeat("<", 255)},
		}
	}
	for i := range 100 {
		id := fmt.Sprint("zz-", i)
		clients[id] = Connected{ID: id, Address: fmt.Sprintf("192.0.2.%d:1", 2+i)}
	}
	all, more := ListClients(maps.Values(clients))
	assert.Less(t, inJSON(t, all), MostListed)
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
	assert.Len(t, one.Groups, MostOfClient)
	assert.Equal(t, 100_000-MostOfClient, one.More)
}

// Members past the gateway have ids that no bound here is for.
func TestMembersPastTheGatewayAreToldInShort(t *testing.T) {
	long := HeldQueue{Members: []string{strings.Repeat("x", 1<<20)}}
	m := MixedGroup{Group: "billing", Contested: []HeldQueue{long}}
	for range 1000 {
		m.Past = append(m.Past, strings.Repeat("x", 1<<10)+" at 192.0.2.1:1")
	}
	short := m.Short()
	assert.Less(t, inJSON(t, short), (mostPast+2)*(longestPast+10))
	assert.Equal(t, 900, short.More)
	assert.Len(t, m.Contested[0].Members[0], 1<<20, "what is known stays")
}
