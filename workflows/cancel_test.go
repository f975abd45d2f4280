package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
)

// cancelledOnce is a stage that somebody cancels at its first try.
func (s *workflowEnvironment) cancelledOnce(name string, tries *int) stageFunc {
	return func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		if *tries++; *tries == 1 {
			return api.Status{}, temporal.NewCanceledError()
		}
		return s.goodStage(name)(ctx, in)
	}
}

func TestACancelledStageHoldsTheMigrationWithItsLanes(t *testing.T) {
	for _, name := range []string{
		api.AssessType, api.ImportMetadataType, api.VerifyType, api.ShiftType,
		api.FinalizeType,
	} {
		t.Run(name, func(t *testing.T) {
			s := emptyTheatre(t)
			tries := 0
			fillMigration(s, map[string]stageFunc{name: s.cancelledOnce(name, &tries)})
			s.RegisterDelayedCallback(func() {
				require.NotContains(t, s.called(), "Replicate stopped")
				status := s.statusNow(t)
				require.Equal(t, api.StateHeld, status.State)
				require.Contains(t, status.Waiting[0].Text, name+" was cancelled")
				s.update(api.ResumeName, api.Steering{By: "alice"})
			}, time.Minute)
			s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, api.StateDone, s.result(t).State)
			require.Equal(t, 2, tries)
		})
	}
}

// shiftUntilCancelled stands in for a Shift in the middle of a wave.
func (s *workflowEnvironment) shiftUntilCancelled(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
	s.note(api.ShiftType)
	err := workflow.Sleep(ctx, time.Hour)
	s.note("Shift undone")
	return api.Status{}, err
}

func TestACancelledMigrationGoesBackWithLanesThatRunUntilItIsDone(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{api.ShiftType: s.shiftUntilCancelled})
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	calls := s.called()
	require.Equal(t, []string{
		"Shift undone", api.RollbackType, "Replicate stopped",
		"SyncOffsets stopped", "report",
	}, calls[len(calls)-5:])
	require.Equal(t, api.StateRolledBack, s.statusNow(t).State)
}

func TestACancelledMigrationWhoseRollbackFailsWaitsForAPersonWithItsLanes(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		api.ShiftType:    s.shiftUntilCancelled,
		api.RollbackType: s.cancelledOnce(api.RollbackType, &tries),
	})
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Replicate stopped")
		require.Equal(t, api.ResumeName, s.statusNow(t).Waiting[0].Gate)
		s.update(api.ResumeName, api.Steering{By: "alice"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
	require.Equal(t, 2, tries)
}

func TestACancelledMigrationThatMovedNothingJustEnds(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{api.VerifyType: s.shiftUntilCancelled})
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
	require.NotContains(t, s.called(), api.RollbackType)
	require.Contains(t, s.called(), "Replicate stopped")
}

func TestAMigrationThatIsStartedAnewLooksAtTheBrokersBeforeItEndsBack(t *testing.T) {
	for name, c := range map[string]struct {
		found activities.Survey
		err   error
		back  bool
	}{
		"nothing moved": {back: false},
		"a group is fenced": {
			found: activities.Survey{FencedGroups: api.Some("orders-group")},
			back:  true,
		},
		"homes are away":  {found: activities.Survey{Homes: 3}, back: true},
		"nobody can tell": {err: targetAway(), back: true},
		"the target has rests": {
			found: activities.Survey{MovedTopics: api.Some("orders")},
			back:  true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := emptyTheatre(t)
			fillMigration(s, map[string]stageFunc{api.PurchaseType: shiftUntilBack})
			s.OnActivity("Survey", anything, anything).Return(c.found, c.err)
			s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) },
				time.Minute)
			s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, api.StateRolledBack, s.result(t).State)
			if c.back {
				requireOrder(t, s.called(), api.ReplicateType, api.RollbackType, "Replicate stopped")
			} else {
				require.NotContains(t, s.called(), api.RollbackType)
			}
		})
	}
}

// terminatedOnce is a stage that somebody terminates at its first try.
func (s *workflowEnvironment) terminatedOnce(name string, tries *int) stageFunc {
	return func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		if *tries++; *tries == 1 {
			return api.Status{}, &temporal.TerminatedError{}
		}
		return s.goodStage(name)(ctx, in)
	}
}

func TestATerminatedShiftLeavesNoGroupFenced(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	var opened []string
	s.OnActivity("Stranded", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Stranded, error) {
		if tries == 0 || len(opened) > 0 {
			return activities.Stranded{}, nil
		}
		return activities.Stranded{Source: []string{"orders-group"}}, nil
	})
	fillMigration(s, map[string]stageFunc{api.ShiftType: s.terminatedOnce(api.ShiftType, &tries)})
	s.groupsStep("Unfence", func(r activities.GroupsRequest) error {
		opened = append(opened, r.Groups.First()...)
		return nil
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"orders-group"}, opened)
		require.Equal(t, api.StateHeld, s.statusNow(t).State)
		s.update(api.ResumeName, api.Steering{By: "alice"})
	}, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestATerminatedRollbackIsStartedAgain(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		api.ShiftType:    shiftUntilBack,
		api.RollbackType: s.terminatedOnce(api.RollbackType, &tries),
	})
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.Equal(t, 2, tries)
}

func TestACancelDuringARollbackLetsItEnd(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{
		api.ShiftType: shiftUntilBack,
		api.RollbackType: func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
			s.note(api.RollbackType)
			err := workflow.Sleep(ctx, time.Hour)
			s.note("Rollback ended")
			return api.Status{State: api.StateDone}, err
		},
	})
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.RegisterDelayedCallback(s.CancelWorkflow, 2*time.Minute)
	s.RegisterDelayedCallback(func() { require.NotContains(t, s.called(), "Rollback ended") },
		30*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	calls := s.called()
	require.Equal(t, []string{
		"Rollback ended", "Replicate stopped", "SyncOffsets stopped",
		"report",
	}, calls[len(calls)-4:])
}

func TestAMigrationWhoseCopyCanNotBeMeasuredIsHeldWithItsLanes(t *testing.T) {
	s := emptyTheatre(t)
	looks := 0
	s.OnActivity("AwaitCaughtUp", anything,
		anything).Return(func(context.Context, activities.Request) (activities.ReplicationState,
		error,
	) {
		if looks++; looks == 1 {
			return activities.ReplicationState{},
				temporal.NewNonRetryableApplicationError("no keys for the source", "Forbidden", nil)
		}
		return activities.ReplicationState{}, nil
	})
	fillMigration(s, nil)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Replicate stopped")
		require.Contains(t, s.statusNow(t).Waiting[0].Text, "no keys for the source")
		s.update(api.ResumeName, api.Steering{By: "alice"})
	}, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
}
