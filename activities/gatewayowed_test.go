package activities

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/gateway/control"
	"rocketshift/plan"
)

// returning is a control API that does each move, and says how it was asked.
type returning struct {
	*httptest.Server
	mu    sync.Mutex
	state control.State
	moves []control.Move
}

func newReturning(t *testing.T) *returning {
	t.Helper()
	r := &returning{state: control.State{
		Homes:  control.Homes{Away: []control.TopicQueue{{Topic: "orders"}, {Topic: "of others"}}},
		Groups: []control.GroupSide{{Group: "billing", Target: 2}},
		Owed: []control.OwedQueue{
			{TopicQueue: control.TopicQueue{Topic: "orders"}, Copied: 1, Written: 3},
			{TopicQueue: control.TopicQueue{Topic: "of others"}, Copied: 1, Written: 3},
		},
	}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if in.URL.Path != "/v1/moves" {
			_ = json.NewEncoder(w).Encode(r.state)
			return
		}
		var m control.Move
		_ = json.NewDecoder(in.Body).Decode(&m)
		r.moves = append(r.moves, m)
		_ = json.NewEncoder(w).Encode(control.Moved{ID: m.ID, Done: true})
	}))
	t.Cleanup(r.Close)
	return r
}

func TestReturnsWithoutTheTargetSayWhoAsksAndWhy(t *testing.T) {
	r := newReturning(t)
	p := plan.Plan{
		Name: "m", Topics: plan.TopicSelection{Selection: plan.Selection{Include: []string{"orders"}}},
		Groups:  plan.Selection{Include: []string{"billing"}},
		Traffic: plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{strings.TrimPrefix(r.URL, "http://")}},
	}
	t.Setenv("ROCKETSHIFT_GATEWAY_TOKEN", "a-token-of-the-tests")
	require.NotEmpty(t, os.Getenv("ROCKETSHIFT_GATEWAY_TOKEN"))
	g := NewGateways(Settings{Root: t.TempDir(), Clusters: connect.NewPool()})
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(g)
	request := Request{Plan: p}
	for _, without := range []bool{false, true} {
		for _, one := range []struct{ activity, request any }{
			{g.MoveAuthority, GroupsRequest{Request: request, Side: api.Source, All: true, WithoutTarget: without}},
			{g.MoveHomes, HomesRequest{Request: request, All: true, WithoutTarget: without}},
			{g.MoveGroups, GroupsRequest{Request: request, Side: api.Source, All: true, WithoutTarget: without}},
		} {
			_, err := env.ExecuteActivity(one.activity, one.request)
			require.NoError(t, err)
		}
	}
	require.Len(t, r.moves, 6)
	for i, m := range r.moves {
		assert.Equal(t, "source", m.To)
		assert.Equal(t, i >= 3, m.WithoutTarget, m.Kind)
		assert.Equal(t, i >= 3, m.By != "", m.Kind)
		assert.NotEmpty(t, m.Reason)
	}
	got, err := env.ExecuteActivity(g.Owed, OwedRequest{Request: request, Ordered: api.Some("orders")})
	require.NoError(t, err)
	var owed fleet.Owed
	require.NoError(t, got.Get(&owed))
	assert.Equal(t, 1, owed.Queues, "of the plan's topics")
	assert.EqualValues(t, 2, owed.Known)
	assert.Equal(t, []string{"orders"}, owed.Ordered)
}
