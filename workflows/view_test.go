package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/prepare"
)

func TestFindingsAboutGatewaysEndWhenTheShiftBeginsWithThem(t *testing.T) {
	found := *testInventory().Whole
	found.Findings = []api.Finding{
		{Object: "gateway", Cause: "it doesn't answer", Next: "start it"},
		{Object: "group billing", Cause: "broadcasts"},
	}
	inventory := api.Whole(found)
	tell := func(status api.Status) stageFunc {
		return func(workflow.Context, api.MigrationInput) (api.Status, error) { return status, nil }
	}
	s := newMigration(t, map[string]stageFunc{
		api.AssessType: tell(api.Status{
			State: api.StateDone, Assessment: &inventory, Inventory: &inventory.Summary,
		}),
		api.PurchaseType: prepare.Purchase,
		api.ShiftType:    tell(api.Status{State: api.StateDone, Waves: []api.WaveStatus{{Step: 100}}}),
	})
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{}, nil)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, 2, s.statusNow(t).Inventory.Findings.Len(), "nobody has heard of it since")
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, func(p *plan.Plan) {
		byGateway(p)
		p.Approvals = []plan.Gate{plan.GatePurchase}
	})})
	require.Equal(t, found.Findings[1:], s.result(t).Inventory.Findings.First())
}
