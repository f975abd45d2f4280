package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

func TestFindingsAboutGatewaysEndWhenTheShiftBeginsWithThem(t *testing.T) {
	found := *testInventory().Whole
	found.Findings = []activities.Finding{
		{Object: "gateway", Cause: "it doesn't answer", Next: "start it"},
		{Object: "group billing", Cause: "broadcasts"},
	}
	inventory := activities.Whole(found)
	tell := func(status Status) stageFunc {
		return func(workflow.Context, MigrationInput) (Status, error) { return status, nil }
	}
	s := newMigration(t, map[string]stageFunc{
		AssessType: tell(Status{
			State: StateDone, Assessment: &inventory, Inventory: &inventory.Summary,
		}),
		PurchaseType: Purchase,
		ShiftType:    tell(Status{State: StateDone, Waves: []WaveStatus{{Step: 100}}}),
	})
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{}, nil)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, 2, s.statusNow(t).Inventory.Findings.Len(), "nobody has heard of it since")
		s.update(ApproveName, Approval{Gate: "purchase", By: "alice"})
	}, time.Minute)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, func(p *plan.Plan) {
		byGateway(p)
		p.Approvals = []plan.Gate{plan.GatePurchase}
	})})
	require.Equal(t, found.Findings[1:], s.result(t).Inventory.Findings.First())
}
