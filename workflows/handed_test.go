package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/message"
	"rocketshift/workflows/report"
)

// refusesFirst stands in for a stage that asks, has measured anew by the first approval, and takes
// the second.
func refusesFirst(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	expires := workflow.Now(ctx).Add(time.Hour)
	status := api.Status{Name: in.Plan.Name, Type: api.PurchaseType, State: api.StateWaiting, Waiting: []api.Waiting{{
		Kind: api.WaitingApproval, Gate: "purchase", Evidence: "old", PlanHash: in.PlanHash,
		WorkflowID: id, Expires: &expires,
	}}}
	workflow.SignalExternalWorkflow(ctx, parent.ID, "", report.Signal, report.Report{
		WorkflowID: id, Number: workflow.Now(ctx).UnixNano() + 1, Status: &status,
	})
	for _, refused := range []string{"new evidence is shown now", ""} {
		var a api.Approval
		workflow.GetSignalChannel(ctx, api.ApproveName).Receive(ctx, &a)
		if err := workflow.Sleep(ctx, time.Second); err != nil {
			return status, err
		}
		workflow.SignalExternalWorkflow(ctx, parent.ID, "", message.HandedSignal,
			message.Handed{Number: a.Number, Refused: refused})
	}
	return api.Status{State: api.StateDone}, workflow.Sleep(ctx, time.Minute)
}

func TestWhoApprovesIsToldWhenTheStageRefusesIt(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{api.PurchaseType: refusesFirst})
	var first, second *answered
	s.RegisterDelayedCallback(func() {
		first = s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		second = s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "bob"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.NoError(t, first.rejected)
	require.ErrorContains(t, first.err, "new evidence is shown now")
	require.NoError(t, second.rejected, "a refused approval isn't used up")
	require.NoError(t, second.err)
	require.Equal(t, "bob", second.result.(api.Approval).By)
}
