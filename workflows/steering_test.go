package workflows

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/stage"
)

// later is an answer that isn't given for as long as a test looks: the next try is far away.
func later(kind, text string) error {
	return temporal.NewApplicationErrorWithOptions(text, kind,
		temporal.ApplicationErrorOptions{NextRetryDelay: 10 * time.Minute})
}

func backFromHeld(t *testing.T, s *workflowEnvironment, at time.Duration) {
	t.Helper()
	late := false
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, at)
	s.RegisterDelayedCallback(func() {
		late = true
		s.update(api.BackName, api.Steering{By: "bob"}) // lets the test end
	}, at+time.Hour)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Contains(t, s.called(), api.RollbackType)
	require.False(t, late, "an hour after back nothing had begun to go back")
}

func TestBackAfterAFailedShiftGoesBack(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.ShiftType: failingStage("fence budget", "FenceBudget")})
	backFromHeld(t, s, time.Minute)
}

func TestBackAfterAHoldGoesBack(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.ShiftType: shiftUntilBack})
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "alice"}) }, 30*time.Second)
	backFromHeld(t, s, time.Minute)
}

// A word without names is said while groups are asked for; meanwhile they were measured to have
// left, and producers are asked for. It must not count for them.
func TestAReleaseOfGroupsIsNoReleaseOfProducers(t *testing.T) {
	s := newTheatre(t)
	moved := false
	s.OnActivity("CloseTopics", anything, anything).Return(func(context.Context, activities.TopicsRequest) error {
		if !moved { // the ordered topic isn't asked for yet
			return notYet("the target is slow")
		}
		return nil
	})
	released := map[string]bool{}
	s.OnActivity("AwaitQuiet", anything, anything).Return(func(_ context.Context, r activities.AwaitMoveRequest) error {
		if first(r.Topics) == "payments" && !r.Released {
			return later(activities.NotReadyType, "producers write")
		}
		released[first(r.Topics)] = r.Released
		return nil
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Equal(t, []string{"payments"}, w[0].Topics.First(), "the ordered topic isn't asked for yet")
		s.update(api.ReleasedName, api.Released{By: "ci"}) // all that is waited for
	}, 20*time.Second)
	s.RegisterDelayedCallback(func() { moved = true }, 21*time.Second)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	require.True(t, released["payments"])
	require.False(t, released["orders"], "nobody said that the producers of the ordered topic moved")
}

// Temporal hands a workflow all messages of one task before its main coroutine runs again: two
// updates or signals at the stage itself are judged in a row. The test environment runs one at a
// time, so that this calls what the handlers call.
func TestOfTwoApproversInOneTaskTheSecondIsTold(t *testing.T) {
	s := emptyTheatre(t)
	var second error
	approvals := 0
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		d, err := stage.New(ctx, api.PurchaseType, in)
		if err != nil {
			return api.Status{}, err
		}
		workflow.Go(ctx, func(ctx workflow.Context) {
			_ = workflow.Sleep(ctx, time.Minute)
			a, b := api.Approval{Gate: "purchase", By: "alice"}, api.Approval{Gate: "purchase", By: "bob"}
			require.NoError(t, d.CheckApproval(a, workflow.Now(ctx)))
			_, _ = d.TakeApproval(ctx, a)
			if second = d.CheckApproval(b, workflow.Now(ctx)); second == nil {
				_, _ = d.TakeApproval(ctx, b)
			}
		})
		return d.Execute(ctx, func(ctx workflow.Context) error {
			err := d.Approve(ctx, func(workflow.Context) (stage.Question, error) {
				return stage.Question{Gate: "purchase", Text: "buy", Evidence: 1}, nil
			})
			approvals = len(d.Status.Approvals)
			return err
		})
	}, workflow.RegisterOptions{Name: api.PurchaseType})
	s.ExecuteWorkflow(api.PurchaseType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.NoError(t, s.GetWorkflowError())
	require.ErrorContains(t, second, "approved by alice")
	require.Equal(t, 1, approvals)
}

func TestBackToAShiftThatWasStartedAloneIsNoRollback(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("AwaitMembers", anything, anything).Return(nil, later("NotReady", "2 members left"))
	s.playTraffic()
	var got *answered
	s.RegisterDelayedCallback(func() { got = s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { s.CancelWorkflow() }, 5*time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	if got.rejected != nil {
		return // refused with the right command is right too
	}
	require.NotEqual(t, api.StateRolledBack, s.statusNow(t).State,
		"its groups are fenced on the source still: nothing was rolled back")
}

func TestTheCommandThatAHeldStageShowsIsTaken(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{api.ShiftType: s.steppingShift(3)})
	p := testPlan(t, nil)
	var resumed *answered
	shown := ""
	s.RegisterDelayedCallback(func() {
		require.NoError(t, s.SignalWorkflowByID(api.StageID(p, api.ShiftType), api.HoldName, api.Steering{By: "alice"}))
	}, 30*time.Second)
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		for _, w := range status.Waiting {
			shown = api.NextCommand(status, w)
		}
		resumed = s.update(api.ResumeName, api.Steering{By: "alice"})
	}, 5*time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, 10*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, "rocketshift resume orders-2026 --by YOU", shown)
	require.NoError(t, resumed.rejected)
}

func TestACancelledFirstRunThatReachedNothingEnds(t *testing.T) {
	s := emptyTheatre(t)
	stuck := func(name string) stageFunc {
		return func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
			s.note(name)
			return api.Status{State: api.StateDone}, workflow.Sleep(ctx, 12*time.Hour)
		}
	}
	fillMigration(s,
		map[string]stageFunc{api.AssessType: stuck(api.AssessType), api.RollbackType: stuck(api.RollbackType)})
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{},
		temporal.NewApplicationErrorWithOptions("the source at wrong:9876 doesn't answer", activities.SourceUnreachableType,
			temporal.ApplicationErrorOptions{NextRetryDelay: testDelay}),
	)
	var calls []string
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.RegisterDelayedCallback(func() {
		calls = s.called()
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Contains(t, now.Waiting[0].Text, "the source at wrong:9876")
		s.update(api.BackName, api.Steering{By: "alice"})
	}, 10*time.Hour)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.NotContains(t, calls, api.ReplicateType,
		"lanes were started before anybody assessed or approved anything: %v", calls)
	require.NotContains(t, s.called(), api.RollbackType)
	require.ErrorContains(t, s.GetWorkflowError(), "nobody knows")
}

// Activities of a Shift that was terminated go on until their next heartbeat: a fence may be set
// after what was left of it was looked for.
func TestAFenceThatATerminatedShiftSetsLateIsLifted(t *testing.T) {
	s := emptyTheatre(t)
	tries := 0
	start := s.Now() // of the mocks: before the workflow begins
	s.OnActivity("Stranded", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Stranded, error) {
		if s.Now().Sub(start) < 5*time.Second {
			return activities.Stranded{}, nil
		}
		return activities.Stranded{Source: []string{"orders-group"}}, nil
	})
	fillMigration(s, map[string]stageFunc{api.ShiftType: s.terminatedOnce(api.ShiftType, &tries)})
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(api.ResumeName, api.Steering{By: "alice"}) }, 5*time.Minute)
	lifted := false
	s.RegisterDelayedCallback(func() {
		for _, c := range s.called() {
			lifted = lifted || c == "Unfence@source"
		}
	}, 4*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.True(t, lifted)
}

// A stage that is just being started can't be signalled yet: forward only notes that. The stand-in
// never hears the first back; a second one must reach it.
func TestABackThatDidNotReachTheStageIsSentAgain(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(
		s,
		map[string]stageFunc{api.ShiftType: func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
			backs := workflow.GetSignalChannel(ctx, api.BackName)
			backs.Receive(ctx, nil) // lost
			if ok, _ := backs.ReceiveWithTimeout(ctx, 24*time.Hour, nil); !ok {
				s.note("Shift went on for a day")
			}
			return api.Status{State: api.StateRolledBack}, nil
		}},
	)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "bob"}) }, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.NotContains(t, s.called(), "Shift went on for a day")
}

func TestLeavingMessagesOnTheTargetIsNotTheGateThatRetiresTheSource(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	s.stillToCome(func() bool { return false })
	s.playTraffic()
	gate := ""
	s.RegisterDelayedCallback(func() { gate = s.statusNow(t).Waiting[0].Gate }, 11*time.Second)
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.NotEmpty(t, gate)
	require.NotEqual(t, string(plan.GateFinalize), gate,
		"an approval left as a signal for Finalize would lose what is on the target")
}

func TestAServiceThatDiesEveryMinuteIsTriedEverMoreRarely(t *testing.T) {
	s := emptyTheatre(t)
	tries, day := 0, 0
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: s.dying(api.ReplicateType, &tries, 1800, 45*time.Second),
		api.ShiftType:     shiftUntilBack,
	})
	s.RegisterDelayedCallback(func() { day = tries; s.update(api.BackName, api.Steering{By: "alice"}) }, 24*time.Hour)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	if day == 0 {
		day = tries
	}
	require.Less(t, day, 200,
		"each start costs the migration's history some twenty events; the server ends it at 51,200")
}

// It was accepted before the migration heard of the point of no return.
func TestABackThatCameTooLateIsSaid(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(
		s,
		map[string]stageFunc{api.FinalizeType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			var said api.Steering
			workflow.GetSignalChannel(ctx, api.BackName).Receive(ctx, &said)
			now := workflow.Now(ctx)
			return api.Status{
				Name:            in.Plan.Name,
				Type:            api.FinalizeType,
				State:           api.StateDone,
				PointOfNoReturn: &now,
			}, nil
		}},
	)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Contains(t, strings.Join(got.Notes, "\n"),
		"back by alice came when the last stage had passed the point of no return")
}
