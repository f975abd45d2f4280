package activities

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/gateway/control"
	"rocketshift/plan"
)

// refusing is a control API that refuses moves while applications bypass the gateway.
type refusing struct {
	state  control.State
	past   []string // groups and topics whose applications do
	moves  []control.Move
	env    *testsuite.TestActivityEnvironment
	acts   *Gateways
	plan   plan.Plan
	server *httptest.Server
}

func newRefusing(t *testing.T, past ...string) *refusing {
	t.Helper()
	r := &refusing{past: past, state: control.State{
		NameServer: "10.0.0.7:9876", Authority: "target",
		Homes: control.Homes{Away: []control.TopicQueue{{Topic: "orders"}, {Topic: "of others"}}},
		Groups: []control.GroupSide{
			{Group: "audit", Target: 2},
			{Group: "billing", Target: 2},
			{Group: "of others", Target: 2},
			{Group: "stayed", Source: 2},
		},
	}}
	r.server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.server.Close)
	t.Setenv("ROCKETSHIFT_GATEWAY_TOKEN", "a-token-of-the-tests")
	r.acts = NewGateways(Settings{Root: t.TempDir(), Clusters: connect.NewPool()})
	r.env = (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	r.env.RegisterActivity(r.acts)
	r.plan = plan.Plan{
		Name: "m", Topics: plan.TopicSelection{Selection: plan.Selection{Include: []string{"orders"}}},
		Groups: plan.Selection{Include: []string{"audit", "billing", "stayed"}},
		Traffic: plan.Traffic{
			Mode: plan.ModeGateway, Gateways: []string{strings.TrimPrefix(r.server.URL, "http://")},
		},
	}
	return r
}

func (r *refusing) serve(w http.ResponseWriter, in *http.Request) {
	if in.URL.Path != "/v1/moves" {
		_ = json.NewEncoder(w).Encode(r.state)
		return
	}
	var m control.Move
	_ = json.NewDecoder(in.Body).Decode(&m)
	r.moves = append(r.moves, m)
	var by control.Bypassing
	for _, g := range m.Groups {
		if slices.Contains(r.past, g) {
			by.Groups = append(by.Groups, g)
		}
	}
	for _, q := range m.Queues {
		if slices.Contains(r.past, q.Topic) {
			by.Topics = append(by.Topics, q.Topic)
		}
	}
	if m.Kind == control.KindAuthority {
		by.Groups = r.past
	}
	if by.Any() {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(control.Problem{
			Error: "refused: " + strings.Join(append(by.Groups, by.Topics...), " "), Bypassing: &by,
		})
		return
	}
	_ = json.NewEncoder(w).Encode(control.Moved{ID: m.ID, Done: true})
}

func (r *refusing) back(asked *Bypassing) GroupsRequest {
	return GroupsRequest{Request: Request{Plan: r.plan}, Side: api.Source, All: true, Asked: asked}
}

func TestPeopleHearOfAllWhoBypassTheGateways(t *testing.T) {
	r := newRefusing(t, "audit")
	_, err := r.env.ExecuteActivity(r.acts.MoveGroups, r.back(&Bypassing{}))
	by, is := BypassingOf(err)
	require.True(t, is, err)
	assert.Equal(t, []string{"audit"}, by.Groups.First())
	assert.Zero(t, by.Topics.Len())
	require.Len(t, r.moves, 2, "billing moves all the same")
	assert.Equal(t, []string{"billing"}, r.moves[1].Groups)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	assert.True(t, app.NonRetryable())
	assert.Contains(t, app.Message(), "refused: audit")

	// who was asked for is waited for, and anybody else is told
	assert.False(t, StillBypassed(err))
	_, err = r.env.ExecuteActivity(r.acts.MoveGroups, r.back(&by))
	assert.True(t, StillBypassed(err), err)
	_, is = BypassingOf(err)
	assert.False(t, is)
	r.past = []string{"billing"}
	_, err = r.env.ExecuteActivity(r.acts.MoveGroups, r.back(&by))
	by, is = BypassingOf(err)
	require.True(t, is, err)
	assert.Equal(t, []string{"audit", "billing"}, by.Groups.First(), "with those who were asked for")

	// workflows of older releases don't ask
	_, err = r.env.ExecuteActivity(r.acts.MoveGroups, r.back(nil))
	require.ErrorAs(t, err, &app)
	assert.Equal(t, NotReadyType, app.Type())
	assert.False(t, app.NonRetryable())
	_, is = BypassingOf(err)
	assert.False(t, is)

	_, err = r.env.ExecuteActivity(r.acts.MoveAuthority, r.back(&Bypassing{}))
	by, is = BypassingOf(err)
	require.True(t, is, err)
	assert.Equal(t, []string{"billing"}, by.Groups.First())
}

func TestPeopleHearOfProducersThatBypassTheGateways(t *testing.T) {
	r := newRefusing(t, "orders")
	back := HomesRequest{Request: Request{Plan: r.plan}, All: true, Asked: &Bypassing{}}
	_, err := r.env.ExecuteActivity(r.acts.MoveHomes, back)
	by, is := BypassingOf(err)
	require.True(t, is, err)
	assert.Equal(t, []string{"orders"}, by.Topics.First())

	// no home is on the target any more, and somebody writes there
	r.past, r.state.Homes.Away = nil, nil
	r.state.Bypass = []control.Bypass{
		{Topic: "orders", Side: "source", Address: "10.0.0.8:1"},
		{Topic: "of others", Side: "target", Address: "10.0.0.8:1"},
	}
	back.Nobody = true
	_, err = r.env.ExecuteActivity(r.acts.MoveHomes, back)
	require.NoError(t, err)
	r.state.Bypass = append(r.state.Bypass, control.Bypass{
		Topic: "orders", Side: "target", Address: "10.0.0.9:1",
	})
	_, err = r.env.ExecuteActivity(r.acts.MoveHomes, back)
	by, is = BypassingOf(err)
	require.True(t, is, err)
	assert.Equal(t, []string{"orders"}, by.Topics.First())
	require.ErrorContains(t, err, "10.0.0.9:1")
	back.Nobody = false
	_, err = r.env.ExecuteActivity(r.acts.MoveHomes, back)
	require.NoError(t, err, "a target that applications used before the migration")
}

// Who goes back in a run without an inventory asks the gateways whose applications may be there.
func TestGatewaysKnowWhoseApplicationsMayBeAtTheTarget(t *testing.T) {
	r := newRefusing(t)
	got, err := r.env.ExecuteActivity(r.acts.Entrance, Request{Plan: r.plan})
	require.NoError(t, err)
	var at Gateway
	require.NoError(t, got.Get(&at))
	assert.Equal(t, api.Target, at.Authority)
	assert.Equal(t, []string{"audit", "billing"}, at.Groups.First())
	assert.Equal(t, []string{"orders"}, at.Topics.First())
	r.state.Authority = "source"
	got, err = r.env.ExecuteActivity(r.acts.Entrance, Request{Plan: r.plan})
	require.NoError(t, err)
	at = Gateway{}
	require.NoError(t, got.Get(&at))
	assert.Zero(t, at.Groups.Len()+at.Topics.Len(), "nobody was asked to go there")
}

func TestTheHighestStepThatStandsIsThatOfItsHomes(t *testing.T) {
	steps := []int{25, 50, 100}
	for homes, want := range map[int]int{0: 0, 1: 0, 2: 25, 3: 25, 4: 50, 7: 50, 8: 100} {
		assert.Equal(t, want, fleet.Reached(homes, 8, steps), "%d homes", homes)
	}
	assert.Zero(t, fleet.Reached(0, 0, steps), "of no queue nothing stands")
}

func TestHowFarStepsHaveComeNeedsNoBrokersWhileNothingHas(t *testing.T) {
	r := newRefusing(t)
	r.state.Authority, r.state.Homes.Away = "source", nil
	got, err := r.env.ExecuteActivity(r.acts.Reached, ReachedRequest{
		Request: Request{Plan: r.plan}, Topics: api.Some("orders"), Steps: []int{50, 100},
	})
	require.NoError(t, err)
	var at Reached
	require.NoError(t, got.Get(&at))
	assert.Equal(t, Reached{Authority: api.Source}, at)
}
