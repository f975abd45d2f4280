package verification

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFewLanesThatAreDoneAreNamed(t *testing.T) {
	done := laneSet{}
	done.add("orders broker-a/0")
	b, err := json.Marshal(done)
	require.NoError(t, err)
	assert.JSONEq(t, `{"orders broker-a/0":true}`, string(b), "as releases before it write it")
	var again laneSet
	require.NoError(t, json.Unmarshal(b, &again))
	assert.Equal(t, done, again)
	for _, bad := range []string{`"####"`, `"AAAA"`, `[]`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &again), bad)
	}
}

func TestManyLanesThatAreDoneFitIntoAPayload(t *testing.T) {
	done := laneSet{}
	for i := range 20_000 {
		done.add(fmt.Sprintf("%%RETRY%%billing-service-production-consumers-%06d broker-a/0", i))
	}
	b, err := json.Marshal(done)
	require.NoError(t, err)
	assert.Less(t, len(b), 256<<10, "lanes that are compared")
	var again laneSet
	require.NoError(t, json.Unmarshal(b, &again))
	assert.Len(t, again, 20_000)
	assert.True(t, again.has("%RETRY%billing-service-production-consumers-000007 broker-a/0"))
	assert.False(t, again.has("another"))
}
