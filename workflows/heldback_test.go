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

func TestAStageThatFailsUnderAHoldLeavesOneHoldThatOneResumeLifts(t *testing.T) {
	s, fails := emptyTheatre(t), true
	fillMigration(s, map[string]stageFunc{ShiftType: func(ctx workflow.Context, in MigrationInput) (Status, error) {
		if fails {
			if err := workflow.Sleep(ctx, time.Minute); err != nil {
				return Status{}, err
			}
			return Status{}, temporal.NewNonRetryableApplicationError("members hold 3 messages", "FenceBudget", nil)
		}
		return s.goodStage(ShiftType)(ctx, in)
	}})
	s.RegisterDelayedCallback(func() { s.update(HoldName, Steering{By: "bob"}) }, 30*time.Second)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, StateHeld, now.State)
		require.Len(t, now.Waiting, 1, "%v", now.Waiting)
		require.Contains(t, now.Waiting[0].Text, "members hold 3 messages")
		fails = false
		s.update(ResumeName, Steering{By: "alice"})
	}, 2*time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
}

func TestAMigrationThatIsCancelledUnderAHoldGoesBackWithoutIt(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{
		ShiftType: func(ctx workflow.Context, _ MigrationInput) (Status, error) {
			return Status{}, workflow.Sleep(ctx, time.Hour)
		},
		RollbackType: func(ctx workflow.Context, in MigrationInput) (Status, error) {
			if err := workflow.Sleep(ctx, time.Hour); err != nil {
				return Status{}, err
			}
			return s.goodStage(RollbackType)(ctx, in)
		},
	})
	s.RegisterDelayedCallback(func() { s.update(HoldName, Steering{By: "bob"}) }, time.Minute)
	s.RegisterDelayedCallback(s.CancelWorkflow, 2*time.Minute)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Empty(t, now.Waiting, "nobody has to resume")
		require.Equal(t, StateRunning, now.State)
	}, 10*time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
	require.Contains(t, s.called(), RollbackType)
}
