package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// untilStopped stands in for a service: it runs until it is told to stop, or is cancelled.
func (s *theatre) untilStopped(name string) stageFunc {
	return func(ctx workflow.Context, _ MigrationInput) (Status, error) {
		s.note(name)
		var err error
		told := workflow.NewSelector(ctx)
		told.AddReceive(workflow.GetSignalChannel(ctx, StopName),
			func(workflow.ReceiveChannel, bool) { s.note(name + " stopped") })
		told.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {
			s.note(name + " cancelled")
			err = ctx.Err()
		})
		told.Select(ctx)
		return Status{Type: name, State: StateDone}, err
	}
}

// dying is a service that fails at its first tries, each time after a while, and then stays.
func (s *theatre) dying(name string, tries *int, fails int, after time.Duration) stageFunc {
	return func(ctx workflow.Context, in MigrationInput) (Status, error) {
		if *tries++; *tries <= fails {
			_ = workflow.Sleep(ctx, after)
			return Status{}, temporal.NewNonRetryableApplicationError("lane orders/3: the broker's disk is full", "Conflict", nil)
		}
		return s.untilStopped(name)(ctx, in)
	}
}

// steppingShift stands in for Shift with so many steps, one a minute; between two of them it may be
// held.
func (s *theatre) steppingShift(steps int) stageFunc {
	return func(ctx workflow.Context, in MigrationInput) (Status, error) {
		d, err := newDesk(ctx, ShiftType, in)
		if err != nil {
			return Status{}, err
		}
		return d.run(ctx, func(ctx workflow.Context) error {
			for range steps {
				if err := d.checkpoint(ctx); err != nil {
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

func (s *theatre) steps() (n int) {
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
		ReplicateType: s.dying(ReplicateType, &tries, 4, 90*time.Second),
		ShiftType:     s.steppingShift(6),
	})
	before := 0
	s.RegisterDelayedCallback(func() { before = s.steps() }, 90*time.Second+500*time.Millisecond)
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.Equal(t, StateHeld, status.State)
		require.Equal(t, before, s.steps(), "Shift is held with the migration")
		require.Contains(t, Details(status),
			"Replicate doesn't run: lane orders/3: the broker's disk is full: nothing moves without it")
	}, 115*time.Second)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, StateDone, got.State)
	require.Equal(t, 5, tries)
	require.Equal(t, 6, s.steps())
}

func TestAServiceThatNeverStandsIsTriedEverMoreRarelyAndAtOnceWhenAsked(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		ReplicateType: s.dying(ReplicateType, &tries, 10, time.Second),
		ShiftType:     s.steppingShift(2),
	})
	s.RegisterDelayedCallback(func() {
		require.Equal(t, 9, tries, "after 0, 1, 2, 4 ... seconds")
		require.Equal(t, StateHeld, s.statusNow(t).State)
		s.update(ResumeName, Steering{By: "alice", Reason: "made room"})
	}, 5*time.Minute)
	s.RegisterDelayedCallback(func() { require.Equal(t, 10, tries, "tried at once") },
		5*time.Minute+500*time.Millisecond)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.Equal(t, 11, tries)
}

func TestAResumeDoesNotMoveAnythingWithoutReplicate(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		ReplicateType: s.dying(ReplicateType, &tries, 20, 50*time.Second),
		ShiftType:     s.steppingShift(6),
	})
	before := 0
	s.RegisterDelayedCallback(func() {
		before = s.steps()
		s.update(HoldName, Steering{By: "alice"})
	}, 2*time.Minute)
	s.RegisterDelayedCallback(func() { s.update(ResumeName, Steering{By: "alice"}) },
		2*time.Minute+time.Second)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, before, s.steps())
		s.update(BackName, Steering{By: "alice"})
	}, 2*time.Minute+20*time.Second)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateRolledBack, s.result(t).State)
}

func TestAServiceThatRunsAlreadyIsTakenOver(t *testing.T) {
	s := emptyTheatre(t)
	replicate := s.untilStopped(ReplicateType)
	fillMigration(s, map[string]stageFunc{
		ReplicateType: replicate,
		// The stage before leaves a Replicate behind, as a migration does that was terminated.
		ImportMetadataType: func(ctx workflow.Context, in MigrationInput) (Status, error) {
			id := StageID(in.Plan, ReplicateType)
			run := workflow.ExecuteChildWorkflow(lasting(ctx, id, "left"), ReplicateType, in)
			return Status{State: StateDone}, run.GetChildWorkflowExecution().Get(ctx, nil)
		},
	})
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	requireOrder(t, s.called(), ReplicateType, "Replicate stopped", ReplicateType, VerifyType,
		"Replicate stopped")
}

func TestAnswersAndRatesOutliveTheirReplicate(t *testing.T) {
	s := emptyTheatre(t)
	var inputs []MigrationInput
	fillMigration(s, map[string]stageFunc{
		ReplicateType: func(ctx workflow.Context, in MigrationInput) (Status, error) {
			inputs = append(inputs, in)
			if len(inputs) > 1 {
				return s.untilStopped(ReplicateType)(ctx, in)
			}
			d, err := newDesk(ctx, ReplicateType, in)
			if err != nil {
				return Status{}, err
			}
			d.status.Answers = []activities.LaneAnswer{skipOne()}
			d.status.Rates = []activities.RateChange{{Topic: "orders", By: "bob"}}
			d.publish(ctx)
			_ = workflow.Sleep(ctx, time.Minute)
			return Status{}, temporal.NewNonRetryableApplicationError("gone", "Conflict", nil)
		},
		ShiftType: s.steppingShift(3),
	})
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.Len(t, inputs, 2)
	require.Len(t, inputs[1].Answers, 1)
	require.Len(t, inputs[1].Rates, 1)
}

func TestTheWayBackDoesNotWaitForAServiceThatIsGone(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	fillMigration(s, map[string]stageFunc{
		ReplicateType: s.dying(ReplicateType, &tries, 9, 50*time.Second), ShiftType: shiftUntilBack,
	})
	s.RegisterDelayedCallback(func() { s.update(BackName, Steering{By: "alice"}) }, 2*time.Minute)
	s.RegisterDelayedCallback(func() { require.Contains(t, s.called(), RollbackType) },
		2*time.Minute+time.Second)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateRolledBack, s.result(t).State)
}
