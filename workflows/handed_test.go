package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"
)

// refusesFirst stands in for a stage that asks, has measured anew by the first approval, and takes
// the second.
func refusesFirst(ctx workflow.Context, in MigrationInput) (Status, error) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	expires := workflow.Now(ctx).Add(time.Hour)
	status := Status{Name: in.Plan.Name, Type: PurchaseType, State: StateWaiting, Waiting: []Waiting{{
		Kind: WaitingApproval, Gate: "purchase", Evidence: "old", PlanHash: in.PlanHash,
		WorkflowID: id, Expires: &expires,
	}}}
	workflow.SignalExternalWorkflow(ctx, parent.ID, "", stageReportName, stageReport{
		WorkflowID: id, Number: workflow.Now(ctx).UnixNano() + 1, Status: &status,
	})
	for _, refused := range []string{"new evidence is shown now", ""} {
		var a Approval
		workflow.GetSignalChannel(ctx, ApproveName).Receive(ctx, &a)
		if err := workflow.Sleep(ctx, time.Second); err != nil {
			return status, err
		}
		workflow.SignalExternalWorkflow(ctx, parent.ID, "", handedName,
			handed{Number: a.Number, Refused: refused})
	}
	return Status{State: StateDone}, workflow.Sleep(ctx, time.Minute)
}

func TestWhoApprovesIsToldWhenTheStageRefusesIt(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{PurchaseType: refusesFirst})
	var first, second *answered
	s.RegisterDelayedCallback(func() {
		first = s.update(ApproveName, Approval{Gate: "purchase", By: "alice"})
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		second = s.update(ApproveName, Approval{Gate: "purchase", By: "bob"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.NoError(t, first.rejected)
	require.ErrorContains(t, first.err, "new evidence is shown now")
	require.NoError(t, second.rejected, "a refused approval isn't used up")
	require.NoError(t, second.err)
	require.Equal(t, "bob", second.result.(Approval).By)
}
