package workflows

import (
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/stretchr/testify/require"
)

// `back` is the answer to a stage that failed: nobody has to resume first.
func TestBackEndsTheHoldOfAStageThatFailed(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{ShiftType: failingStage("the target doesn't answer", "TargetUnreachable")})
	s.RegisterDelayedCallback(func() {
		require.Equal(t, StateHeld, s.statusNow(t).State)
		s.update(BackName, Steering{By: "alice"})
	}, time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, StateRolledBack, s.result(t).State)
	require.Contains(t, s.called(), RollbackType)
}

func TestBackThatComesAsItsStageFailsGoesBack(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{ShiftType: func(ctx workflow.Context, _ MigrationInput) (Status, error) {
		var said Steering
		workflow.GetSignalChannel(ctx, BackName).Receive(ctx, &said)
		return Status{}, temporal.NewNonRetryableApplicationError("members hold 3 messages", "FenceBudget", nil)
	}})
	s.RegisterDelayedCallback(func() { s.update(BackName, Steering{By: "alice"}) }, time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateRolledBack, s.result(t).State)
	require.Contains(t, s.called(), RollbackType)
}

func TestBackWhileWhatATerminatedShiftBeganEndsGoesBack(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{ShiftType: func(workflow.Context, MigrationInput) (Status, error) {
		return Status{}, temporal.NewNonRetryableApplicationError("ended", "Test", &temporal.TerminatedError{})
	}})
	s.RegisterDelayedCallback(func() { s.update(BackName, Steering{By: "alice"}) }, quickHeartbeat)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateRolledBack, s.result(t).State)
}
