package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
)

// `back` is the answer to a stage that failed: nobody has to resume first.
func TestBackEndsTheHoldOfAStageThatFailed(t *testing.T) {
	s := newMigration(t,
		map[string]stageFunc{api.ShiftType: failingStage("the target doesn't answer", "TargetUnreachable")})
	s.RegisterDelayedCallback(func() {
		require.Equal(t, api.StateHeld, s.statusNow(t).State)
		s.update(api.BackName, api.Steering{By: "alice"})
	}, time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.Contains(t, s.called(), api.RollbackType)
}

func TestBackThatComesAsItsStageFailsGoesBack(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(
		s,
		map[string]stageFunc{api.ShiftType: func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
			var said api.Steering
			workflow.GetSignalChannel(ctx, api.BackName).Receive(ctx, &said)
			return api.Status{}, temporal.NewNonRetryableApplicationError("members hold 3 messages", "FenceBudget", nil)
		}},
	)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.Contains(t, s.called(), api.RollbackType)
}

func TestBackWhileWhatATerminatedShiftBeganEndsGoesBack(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(
		s,
		map[string]stageFunc{api.ShiftType: func(workflow.Context, api.MigrationInput) (api.Status, error) {
			return api.Status{}, temporal.NewNonRetryableApplicationError("ended", "Test", &temporal.TerminatedError{})
		}},
	)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, call.QuickHeartbeat)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}

func TestAStageThatFailsUnderAHoldLeavesOneHoldThatOneResumeLifts(t *testing.T) {
	s, fails := emptyTheatre(t), true
	fillMigration(
		s,
		map[string]stageFunc{api.ShiftType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			if fails {
				if err := workflow.Sleep(ctx, time.Minute); err != nil {
					return api.Status{}, err
				}
				return api.Status{}, temporal.NewNonRetryableApplicationError("members hold 3 messages",
					"FenceBudget", nil)
			}
			return s.goodStage(api.ShiftType)(ctx, in)
		}},
	)
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "bob"}) }, 30*time.Second)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Len(t, now.Waiting, 1, "%v", now.Waiting)
		require.Contains(t, now.Waiting[0].Text, "members hold 3 messages")
		fails = false
		s.update(api.ResumeName, api.Steering{By: "alice"})
	}, 2*time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestAMigrationThatIsCancelledUnderAHoldGoesBackWithoutIt(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{
		api.ShiftType: func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
			return api.Status{}, workflow.Sleep(ctx, time.Hour)
		},
		api.RollbackType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			if err := workflow.Sleep(ctx, time.Hour); err != nil {
				return api.Status{}, err
			}
			return s.goodStage(api.RollbackType)(ctx, in)
		},
	})
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "bob"}) }, time.Minute)
	s.RegisterDelayedCallback(s.CancelWorkflow, 2*time.Minute)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Empty(t, now.Waiting, "nobody has to resume")
		require.Equal(t, api.StateRunning, now.State)
	}, 10*time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
	require.Contains(t, s.called(), api.RollbackType)
}
