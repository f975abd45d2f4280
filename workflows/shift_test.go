package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

const anything = mock.Anything

func oneStep(p *plan.Plan) { p.Shift.Steps = []int{100} }

func TestShiftMovesGroupsBeforeProducersAndOpensOrderedTopicsAfterTheDrain(t *testing.T) {
	s := newTheatre(t)
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, api.StageDone, got.Waves[0].State)
	require.NotNil(t, got.Waves[0].Check, "the check of the wave is in the status")
	calls := s.called()
	require.Equal(t,
		[]string{"Fence@source", "AwaitSettled@source", "Translate@source", "Unfence@target", "AwaitMembers@source"},
		calls[:5])
	requireOrder(t, calls, "AwaitMembers@source", "CloseTopics orders@target", "MoveOrdered orders@source")
	requireOrder(t, calls, "AwaitMembers@source", "AwaitQuiet payments@source", "AwaitDrained payments")
	require.NotContains(t, calls, "CloseTopics payments@target", "an unordered topic is never closed")
}

func requireOrder(t *testing.T, calls []string, want ...string) {
	t.Helper()
	at := 0
	for _, c := range calls {
		if at < len(want) && c == want[at] {
			at++
		}
	}
	require.Equal(t, len(want), at, "want %v in this order, saw %v", want, calls)
}

func TestShiftUndoesTheFenceWhenTranslationFails(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Translate", anything, anything).
		Return(nil, temporal.NewNonRetryableApplicationError("lane broken", "Conflict", nil))
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	require.True(t, s.IsWorkflowCompleted())
	require.ErrorContains(t, s.GetWorkflowError(), "lane broken")
	require.Equal(t, []string{
		"Fence@source", "AwaitSettled@source", "Unfence@source",
		"Fence@target",
	}, s.called(), "the healthy side first")
}

func TestShiftUndoesTheFenceWhenItIsCancelled(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("AwaitSettled", anything, anything).Return(func(context.Context, activities.GroupsRequest) error {
		s.note("AwaitSettled@source")
		return notYet("still moving")
	})
	s.playTraffic()
	s.RegisterDelayedCallback(s.CancelWorkflow, 20*time.Second)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	var canceled *temporal.CanceledError
	require.ErrorAs(t, s.GetWorkflowError(), &canceled)
	calls := s.called()
	require.Equal(t, []string{"Unfence@source", "Fence@target"}, calls[len(calls)-2:])
}

func TestShiftAsksForTheReleaseAndTakesThePipelinesWord(t *testing.T) {
	s := newTheatre(t)
	var asked []bool
	var wrong, unnamed, right *answered
	s.OnActivity("AwaitMembers", anything, anything).
		Return(func(_ context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
			asked = append(asked, r.Released)
			if !r.Released {
				return nil, temporal.NewApplicationErrorWithOptions("2 members left", "NotReady",
					temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
			}
			return nil, nil
		})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.Equal(t, api.StateWaiting, status.State)
		require.Len(t, status.Waiting, 1)
		require.Equal(t, api.WaitingRelease, status.Waiting[0].Kind)
		require.Equal(t, []string{"audit-group", "orders-group", "payments-group"}, status.Waiting[0].Groups.First())
		require.Equal(t, []string{"127.0.0.1:9900"}, status.Waiting[0].NameServers)
		wrong, unnamed = s.update(api.ReleasedName,
			api.Released{By: "ci", Groups: []string{"nobody"}}), s.update(api.ReleasedName, api.Released{})
		right = s.update(api.ReleasedName, api.Released{By: "ci"})
	}, time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.ErrorContains(t, wrong.rejected, `"nobody" is not asked`)
	require.ErrorContains(t, unnamed.rejected, "nobody is named")
	require.True(t, right.accepted)
	require.True(t, asked[len(asked)-1], "the last look was under the pipeline's word")
}

func TestShiftGoesBackWithoutLiftingFencesOnceApplicationsWereAsked(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("AwaitMembers", anything, anything).Return(nil,
		temporal.NewApplicationErrorWithOptions("2 members left", "NotReady", temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour}),
	)
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	s.leftBehind(t)
	require.NotContains(t, s.called(), "Unfence@source",
		"members may read the target already: only Rollback translates back")
}

func TestShiftDoesNotMoveAgainWhatMovedBefore(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Moved", anything, anything).Return([]string{"audit-group", "orders-group", "payments-group"}, nil)
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.NotContains(t, s.called(), "Fence@source")
	require.Contains(t, s.called(), "AwaitMembers@source")
}

func TestShiftAsksOneApprovalForEachStepAndHoldStopsTheNext(t *testing.T) {
	s := newTheatre(t)
	s.playTraffic()
	p := testPlan(t, func(p *plan.Plan) {
		p.Shift.Steps = []int{50, 100}
		p.Approvals = []plan.Gate{plan.GateShift}
	})
	var early *answered
	s.RegisterDelayedCallback(func() {
		require.Equal(t, "shift-50", s.statusNow(t).Waiting[0].Gate)
		early = s.update(api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"})
		s.update(api.HoldName, api.Steering{By: "bob", Reason: "lunch"})
		s.update(api.ApproveName, api.Approval{Gate: "shift-50", By: "alice", Reason: "looks good"})
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.Empty(t, s.called(), "nothing moves while held")
		require.Equal(t, api.ResumeName, status.Waiting[0].Gate)
		s.SignalWorkflow(api.ResumeName, api.Steering{By: "bob"})
	}, 2*time.Minute)
	s.RegisterDelayedCallback(
		func() { s.SignalWorkflow(api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"}) },
		10*time.Minute,
	)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: testInventory()})
	got := s.result(t)
	require.ErrorContains(t, early.rejected, "waiting now: shift-50")
	require.Len(t, got.Approvals, 2)
	require.Equal(t, "looks good", got.Approvals[0].Reason)
	require.Len(t, got.Waves, 2)
}

func TestShiftFailsWithoutEvidence(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("CheckWave", anything, anything).Return(api.WaveCheck{}, nil)
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
	var app *temporal.ApplicationError
	require.True(t, errors.As(s.GetWorkflowError(), &app))
	require.Equal(t, "NoEvidence", app.Type())
}
