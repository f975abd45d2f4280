package workflows

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

// ofAnotherRelease is a plan that today's rules refuse, for two reasons.
const ofAnotherRelease = `{"name": "other-rules", "source": {"nameServers": ["127.0.0.1:9876"]},
  "target": {"provider": "local", "brokers": 99, "region": "eu"}, "approvals": []}`

// checkedByAnotherRelease is CheckPlan of a release with other rules, and with other defaults.
func checkedByAnotherRelease(
	_ context.Context, r activities.PlanRequest,
) (checked activities.CheckedPlan, err error) {
	if err := json.Unmarshal(r.Plan, &checked.Plan); err != nil {
		return checked, err
	}
	checked.Plan = checked.Plan.Normal()
	checked.Plan.Shift = plan.Shift{
		Steps: []int{10, 100}, Soak: plan.Duration(time.Millisecond),
		Settle: plan.Duration(time.Millisecond), FenceBudget: plan.Duration(45 * time.Second),
	}
	checked.Plan.Replicate.Shards = 2
	checked.Plan.Replicate.Heartbeat = plan.Duration(2 * time.Second)
	checked.Hash = "ofother0rule"
	return checked, nil
}

// TestLiveRulesAndDefaultsOfAnotherReleaseReplay begins and ends a migration under other rules and
// defaults than today's, and replays it with today's code.
func TestLiveRulesAndDefaultsOfAnotherReleaseReplay(t *testing.T) {
	p := newServer(t).play(t, "other-rules", nil)
	p.clusters.Answer("CheckPlan", checkedByAnotherRelease)
	_, err := plan.Parse([]byte(ofAnotherRelease))
	require.ErrorContains(t, err, "target.brokers: 99; allowed", "today's rules refuse it")
	require.ErrorContains(t, err, "target.region: unknown key")
	p.startAs(api.MigrationType, p.plan.WorkflowID(), json.RawMessage(`{"plan": `+ofAnotherRelease+`}`))
	p.ends(api.StateDone)
	s := p.status()
	require.Equal(t, "ofother0rule", s.PlanHash)
	require.Len(t, s.Waves, 2)
	require.Equal(t, 4, p.clusters.Calls("Replicate"), "two brokers, two shards")
	require.Equal(t, 1, p.clusters.Calls("CheckPlan"), "stages take the word of their migration")
	for name, h := range p.histories("other-rules") {
		requireReplays(t, name, h)
	}
}

func TestAPlanThatIsRefusedFailsTheWorkflowWithEveryProblem(t *testing.T) {
	for name, input := range map[string]struct{ given, want string }{
		"unknown key": {`{"plan": {"name": "orders-2026", "shfit": {}}}`, "shfit: unknown key"},
		"no plan":     {`{}`, "want an object"},
		"wrong type":  {`{"plan": {"name": 7}}`, "name: it is the number 7"},
		"bad value": {`{"plan": {"name": "orders-2026", "shift": {"steps": [7]}}}`, "shift.steps[0]: 7; " +
			"the last step must be 100"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			s.ExecuteWorkflow(api.AssessType, json.RawMessage(input.given))
			var app *temporal.ApplicationError
			require.ErrorAs(t, s.GetWorkflowError(), &app)
			require.Equal(t, "Invalid", app.Type())
			require.ErrorContains(t, app, input.want)
		})
	}
}

// A stage that somebody starts alone with the word that its plan is checked isn't believed.
func TestOnlyAParentsWordThatAPlanIsCheckedCounts(t *testing.T) {
	s := newTheatre(t)
	s.ExecuteWorkflow(api.AssessType, api.MigrationInput{
		Plan: plan.Plan{Name: "Orders"}, PlanHash: "0113f79ef6ce",
	})
	require.ErrorContains(t, s.GetWorkflowError(), "source.nameServers: missing")
}
