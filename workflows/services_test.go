package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// untilStopped stands in for a service: it runs until it is told to stop, or is cancelled.
func (s *workflowEnvironment) untilStopped(name string) stageFunc {
	return func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
		s.note(name)
		var err error
		told := workflow.NewSelector(ctx)
		told.AddReceive(workflow.GetSignalChannel(ctx, api.StopName),
			func(workflow.ReceiveChannel, bool) { s.note(name + " stopped") })
		told.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {
			s.note(name + " cancelled")
			err = ctx.Err()
		})
		told.Select(ctx)
		return api.Status{Type: name, State: api.StateDone}, err
	}
}

// dying is a service that fails at its first tries, each time after a while, and then stays.
func (s *workflowEnvironment) dying(name string, tries *int, fails int, after time.Duration) stageFunc {
	return func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		if *tries++; *tries <= fails {
			_ = workflow.Sleep(ctx, after)
			return api.Status{}, temporal.NewNonRetryableApplicationError(
				"lane orders/3: the broker's disk is full", "Conflict", nil,
			)
		}
		return s.untilStopped(name)(ctx, in)
	}
}

// steppingShift stands in for Shift with so many steps, one a minute; between two of them it may be
// held.
func (s *workflowEnvironment) steppingShift(steps int) stageFunc {
	return func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		d, err := stage.New(ctx, api.ShiftType, in)
		if err != nil {
			return api.Status{}, err
		}
		return d.Execute(ctx, func(ctx workflow.Context) error {
			for range steps {
				if err := d.Checkpoint(ctx); err != nil {
					return err
				}
				s.note("step")
				if err := workflow.Sleep(ctx, time.Minute); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func (s *workflowEnvironment) steps() (n int) {
	for _, call := range s.called() {
		if call == "step" {
			n++
		}
	}
	return n
}

func TestNothingMovesWithoutReplicateAndItIsStartedAgain(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: s.dying(api.ReplicateType, &tries, 4, 90*time.Second),
		api.ShiftType:     s.steppingShift(6),
	})
	before := 0
	s.RegisterDelayedCallback(func() { before = s.steps() }, 90*time.Second+500*time.Millisecond)
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.Equal(t, api.StateHeld, status.State)
		require.Equal(t, before, s.steps(), "Shift is held with the migration")
		require.Contains(t, api.Details(status),
			"Replicate doesn't run: lane orders/3: the broker's disk is full: nothing moves without it")
	}, 115*time.Second)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, 5, tries)
	require.Equal(t, 6, s.steps())
}

func TestAServiceThatNeverStandsIsTriedEverMoreRarelyAndAtOnceWhenAsked(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: s.dying(api.ReplicateType, &tries, 10, time.Second),
		api.ShiftType:     s.steppingShift(2),
	})
	s.RegisterDelayedCallback(func() {
		require.Equal(t, 9, tries, "after 0, 1, 2, 4 ... seconds")
		require.Equal(t, api.StateHeld, s.statusNow(t).State)
		s.update(api.ResumeName, api.Steering{By: "alice", Reason: "made room"})
	}, 5*time.Minute)
	s.RegisterDelayedCallback(func() { require.Equal(t, 10, tries, "tried at once") },
		5*time.Minute+500*time.Millisecond)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, 11, tries)
}

func TestAResumeDoesNotMoveAnythingWithoutReplicate(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: s.dying(api.ReplicateType, &tries, 20, 50*time.Second),
		api.ShiftType:     s.steppingShift(6),
	})
	before := 0
	s.RegisterDelayedCallback(func() {
		before = s.steps()
		s.update(api.HoldName, api.Steering{By: "alice"})
	}, 2*time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.ResumeName, api.Steering{By: "alice"}) },
		2*time.Minute+time.Second)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, before, s.steps())
		s.update(api.BackName, api.Steering{By: "alice"})
	}, 2*time.Minute+20*time.Second)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}

func TestAServiceThatRunsAlreadyIsTakenOver(t *testing.T) {
	s := emptyTheatre(t)
	replicate := s.untilStopped(api.ReplicateType)
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: replicate,
		// The stage before leaves a Replicate behind, as a migration does that was terminated.
		api.ImportMetadataType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			id := api.StageID(in.Plan, api.ReplicateType)
			run := workflow.ExecuteChildWorkflow(call.LastingChild(ctx, id, "left"), api.ReplicateType, in)
			return api.Status{State: api.StateDone}, run.GetChildWorkflowExecution().Get(ctx, nil)
		},
	})
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	requireOrder(t, s.called(), api.ReplicateType, "Replicate stopped", api.ReplicateType, api.VerifyType,
		"Replicate stopped")
}

func TestAnswersAndRatesOutliveTheirReplicate(t *testing.T) {
	s := emptyTheatre(t)
	var inputs []api.MigrationInput
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			inputs = append(inputs, in)
			if len(inputs) > 1 {
				return s.untilStopped(api.ReplicateType)(ctx, in)
			}
			d, err := stage.New(ctx, api.ReplicateType, in)
			if err != nil {
				return api.Status{}, err
			}
			d.Status.Answers = []api.LaneAnswer{skipOne()}
			d.Status.Rates = []api.RateChange{{Topic: "orders", By: "bob"}}
			d.Publish(ctx)
			_ = workflow.Sleep(ctx, time.Minute)
			return api.Status{}, temporal.NewNonRetryableApplicationError("gone", "Conflict", nil)
		},
		api.ShiftType: s.steppingShift(3),
	})
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Len(t, inputs, 2)
	require.Len(t, inputs[1].Answers, 1)
	require.Len(t, inputs[1].Rates, 1)
}

func TestTheWayBackDoesNotWaitForAServiceThatIsGone(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: s.dying(api.ReplicateType, &tries, 9, 50*time.Second), api.ShiftType: shiftUntilBack,
	})
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, 2*time.Minute)
	s.RegisterDelayedCallback(func() { require.Contains(t, s.called(), api.RollbackType) },
		2*time.Minute+time.Second)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}
