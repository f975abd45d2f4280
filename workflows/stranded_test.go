package workflows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/shift"
)

// stranded plays what a Shift and its migration, or a Rollback, left when both were terminated.
func (s *workflowEnvironment) stranded() {
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{
		Source: []string{"orders-group"}, Target: []string{"audit-group"},
	}, nil)
	s.groupsStep("Unfence", func(r activities.GroupsRequest) error {
		s.note("open " + first(r.Groups) + "@" + string(r.Side))
		return nil
	})
}

func TestAMigrationThatIsStartedAnewFirstFreesGroupsThatAMoveLeftClosed(t *testing.T) {
	s := emptyTheatre(t)
	s.stranded()
	fillMigration(s, nil)
	s.playTraffic()
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	requireOrder(t, s.called(), "open audit-group@target", "open orders-group@source",
		"Fence@target", api.AssessType)
}

func TestStagesThatAreStartedAloneFirstFreeGroupsThatAMoveLeftClosed(t *testing.T) {
	for kind, first := range map[string]string{
		api.ShiftType: "Translate@source", api.RollbackType: "AwaitReturnable@target free [payments]",
	} {
		t.Run(kind, func(t *testing.T) {
			s := newTheatre(t)
			s.stranded()
			s.OnActivity("Survey", anything,
				anything).Return(activities.Survey{FencedGroups: api.Some("audit-group")}, nil)
			s.playTraffic()
			s.ExecuteWorkflow(kind, api.MigrationInput{
				Plan: testPlan(t, oneStep), Inventory: testInventory(),
			})
			require.Equal(t, api.StateDone, s.result(t).State)
			requireOrder(t, s.called(), "open audit-group@target", "open orders-group@source", first)
		})
	}
}

func TestAMigrationStartsThoughNobodyKnowsWhatAMoveLeftClosed(t *testing.T) {
	s := emptyTheatre(t)
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{}, targetAway())
	fillMigration(s, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Contains(t, got.Notes[0], "isn't known: the target at 10.0.0.1:9876")
}

func TestAMigrationWaitsForTheEndOfStagesOfAnEarlierRun(t *testing.T) {
	for stage, name := range map[string]string{"shift": api.ShiftType, "finalize": api.FinalizeType} {
		s := emptyTheatre(t)
		fillMigration(s, map[string]stageFunc{
			api.AssessType: func(workflow.Context, api.MigrationInput) (api.Status, error) {
				s.note(api.AssessType)
				return api.Status{}, errors.New("enough")
			},
		})
		looks := 0
		s.OnSignalExternalWorkflow(anything, anything, anything, anything,
			anything).Return(func(_, id, _, name string, _ any) error {
			if name != api.StopName || !strings.HasSuffix(id, "-"+stage) {
				return errors.New("there is no such workflow")
			}
			if looks++; looks > 3 {
				return errors.New("it has ended")
			}
			s.note("look at " + id)
			return nil
		})
		s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
		require.ErrorContains(t, s.GetWorkflowError(), "enough")
		left := "migration-orders-2026-" + stage
		require.Equal(t, []string{
			"look at " + left, "cancel " + left, "look at " + left, "look at " + left, api.AssessType,
		}, s.called()[:5])
		require.Contains(t, s.statusNow(t).Notes[0], name+" of an earlier run is cancelled")
	}
}

func TestAShiftThatIsCancelledWhileItAsksForApplicationsFreesThoseThatWait(t *testing.T) {
	s := newTheatre(t)
	looks := 0
	s.OnActivity("Stranded", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Stranded, error) {
		if looks++; looks == 1 { // when it starts
			return activities.Stranded{}, nil
		}
		return activities.Stranded{Asked: []string{"orders-group"}}, nil
	})
	s.OnActivity("AwaitMembers", anything,
		anything).Return(func(_ context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
		s.note("AwaitMembers@" + string(r.From))
		if r.From == api.Source {
			return nil, notYet("they are on the source")
		}
		return nil, nil
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Unfence@source")
		s.CancelWorkflow()
	}, 30*time.Second)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	requireOrder(t, s.called(), "Unfence@source", "Fence@target")
	require.NotContains(t, s.called(), "AwaitMembers@target", "nobody sees what an ending stage asks for")
}

// cutOff plays a migration whose first look finds nothing, and later ones a group that was asked to
// move; its members stay on the source until told.
func cutOff(t *testing.T, first activities.Stranded) (s *workflowEnvironment, moves *bool) {
	t.Helper()
	s, moves = emptyTheatre(t), new(bool)
	looks := 0
	s.OnActivity("Stranded", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Stranded, error) {
		if looks++; looks == 1 {
			return first, nil
		}
		return activities.Stranded{Asked: []string{"orders-group"}}, nil
	})
	s.OnActivity("AwaitMembers", anything,
		anything).Return(func(_ context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
		if r.From == api.Source && !*moves {
			return nil, notYet("they are on the source")
		}
		return nil, nil
	})
	fillMigration(s, map[string]stageFunc{api.ShiftType: shift.Shift})
	s.playTraffic()
	return s, moves
}

const leftSaid = "applications of orders-group were asked to move, and their groups read the source " +
	"again: those that are on their way to the target get no messages there until the move goes on"

func TestAHeldMigrationNamesGroupsWhoseApplicationsMayBeOnTheirWay(t *testing.T) {
	s, moves := cutOff(t, activities.Stranded{})
	p := testPlan(t, oneStep)
	s.RegisterDelayedCallback(func() { s.CancelWorkflowByID(api.StageID(p, api.ShiftType), "") }, time.Minute)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Contains(t, now.Waiting[0].Text, leftSaid)
		require.Contains(t, now.Waiting[0].Text, "(back)")
		*moves = true
		s.update(api.ResumeName, api.Steering{By: "alice"})
	}, 10*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Empty(t, got.LeftAsked)
}

// A question before the step is asked again may stand for days.
func TestAShiftThatIsTriedAgainStillNamesGroupsWhoseApplicationsMayBeOnTheirWay(t *testing.T) {
	s, moves := cutOff(t, activities.Stranded{})
	p := testPlan(t, func(p *plan.Plan) {
		oneStep(p)
		p.Approvals = []plan.Gate{plan.GateShift}
	})
	s.RegisterDelayedCallback(
		func() { s.update(api.ApproveName, api.Approval{Gate: api.ShiftGate(100), By: "alice"}) }, time.Second,
	)
	s.RegisterDelayedCallback(func() { s.CancelWorkflowByID(api.StageID(p, api.ShiftType), "") }, time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.ResumeName, api.Steering{By: "alice"}) }, 10*time.Minute)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		_, asks := message.WaitingApproval(now, api.ShiftGate(100))
		require.True(t, asks, "the Shift that is tried again asks: %v", now.Waiting)
		require.Equal(t, []string{"orders-group"}, now.LeftAsked)
		require.True(t, saysLeft(now), "%v", now.Waiting)
		s.update(api.ApproveName, api.Approval{Gate: api.ShiftGate(100), By: "alice"})
	}, 20*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.False(t, saysLeft(s.statusNow(t)), "they are asked to move again")
		*moves = true
	}, 21*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Empty(t, got.LeftAsked)
}

// saysLeft reports whether the page tells of groups that are left asked.
func saysLeft(now api.Status) bool {
	return slices.ContainsFunc(now.Waiting, func(w api.Waiting) bool {
		return w.Gate == api.BackName && strings.Contains(w.Text, leftSaid)
	})
}

func TestAMigrationThatIsStartedAnewNamesGroupsWhoseApplicationsMayBeOnTheirWay(t *testing.T) {
	s, moves := cutOff(t, activities.Stranded{Asked: []string{"orders-group"}})
	said := func() bool { return saysLeft(s.statusNow(t)) }
	s.RegisterDelayedCallback(func() {
		require.True(t, said(), "while a person is asked for the step")
		s.update(api.ApproveName, api.Approval{Gate: api.ShiftGate(100), By: "alice"})
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		require.False(t, said(), "they are asked to move again: %v", s.statusNow(t).Waiting)
		*moves = true
	}, 80*time.Second)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, func(p *plan.Plan) {
		oneStep(p)
		p.Approvals = []plan.Gate{plan.GateShift}
	})})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestAShiftThatIsCancelledWhileProducersMayWriteNowhereOpensTheTarget(t *testing.T) {
	for name, late := range map[string]bool{"lanes bring the rest": false, "lanes are dead": true} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			begun := s.Now()
			s.movesOrdered(func(r activities.AwaitMoveRequest) error {
				if late || s.Now().Sub(begun) < 40*time.Second {
					return notYet("orders/3 isn't copied yet")
				}
				s.note("opened " + first(r.Topics))
				return nil
			})
			s.playTraffic()
			s.RegisterDelayedCallback(s.CancelWorkflow, 20*time.Second)
			s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
				Plan: testPlan(t, oneStep), Inventory: testInventory(),
			})
			require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
			if !late {
				require.Contains(t, s.called(), "opened orders")
				return
			}
			require.NotContains(t, s.called(), "opened orders")
			require.Contains(t, s.statusNow(t).Notes[0], "may write on the source alone")
		})
	}
}

// Rollback comes after it, and groups that have moved wait for that.
func TestABackWhileProducersMoveDoesNotWaitForATargetThatIsDead(t *testing.T) {
	s := newTheatre(t)
	begun, asked := s.Now(), 20*time.Second
	s.movesOrdered(func(activities.AwaitMoveRequest) error {
		if s.Now().Sub(begun) < asked {
			return notYet("producers write on the source")
		}
		return targetAway()
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, asked)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	require.LessOrEqual(t, s.Now().Sub(begun), asked+testDelay)
}

func TestAMigrationThatGoesBackBeforeItHasServicesStopsThoseOfAnEarlierRun(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{api.PurchaseType: shiftUntilBack})
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	looks := map[string]int{}
	s.OnSignalExternalWorkflow(anything, anything, anything, anything,
		anything).Return(func(_, id, _, name string, _ any) error {
		looks[id]++
		service := strings.HasSuffix(id, "-replicate") || strings.HasSuffix(id, "-sync-offsets")
		if name != api.StopName || !service || looks[id] > 2 {
			return errors.New("there is no such workflow")
		}
		s.note(name + " " + id)
		return nil
	})
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	const replicate, sync = "stop migration-orders-2026-replicate",
		"stop migration-orders-2026-sync-offsets"
	requireOrder(t, s.called(), replicate, replicate, sync, sync, "report")
}

func TestABackWhileServicesAreBeingStartedStartsTheOtherToo(t *testing.T) {
	s := emptyTheatre(t)
	fillMigration(s, map[string]stageFunc{
		api.ReplicateType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			_ = workflow.SignalExternalWorkflow(ctx, in.Plan.WorkflowID(), "", api.BackName,
				api.Steering{By: "alice"}).Get(ctx, nil)
			return s.untilStopped(api.ReplicateType)(ctx, in)
		},
	})
	// an earlier run has moved groups
	s.OnActivity("Survey", anything, anything).Return(
		activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	requireOrder(t, s.called(), api.ReplicateType, api.SyncOffsetsType, api.RollbackType, "SyncOffsets stopped",
		"report")
}

func TestARollbackThatFindsNoTargetAsksForApplicationsAtOnce(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{
		Source: []string{"orders-group"}, Away: true,
	}, nil)
	back := false
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey, error) {
		require.True(t, back || r.SourceOnly, "the target isn't waited for a second time")
		return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
	})
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error {
		if !back {
			return targetAway()
		}
		return nil
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Contains(t, s.called(), "Unfence@source")
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Contains(t, w[0].Text, "re-point all applications to the source now")
		back = true
	}, 5*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
}
