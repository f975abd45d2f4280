package workflows

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/rollback"
	"rocketshift/workflows/shift"
)

// forgets notes when marks of fences are taken away.
func (s *workflowEnvironment) forgets(forgotten *bool) {
	s.OnActivity("Forget", anything,
		anything).Return(func(context.Context, activities.GroupsRequest) error {
		*forgotten = true
		s.note("Forget")
		return nil
	})
}

// Who is told that nothing of the fences is left has no way to know that members are on the target
// still, or that retries are to come from there: a Rollback that is begun again would end at once.
func TestARollbackForgetsItsFencesLast(t *testing.T) {
	for name, opened := range map[string]bool{"fenced": false, "opened before": true} {
		for _, stuck := range []string{"members are on the target", "a retry is to come"} {
			t.Run(name+", "+stuck, func(t *testing.T) {
				s := newTheatre(t)
				forgotten := false
				s.forgets(&forgotten)
				found := activities.Survey{FencedGroups: api.Some("orders-group")}
				if opened {
					found = activities.Survey{OpenedGroups: api.Some("orders-group")}
				}
				s.OnActivity("Survey", anything, anything).Return(found, nil)
				if stuck[0] == 'm' {
					s.OnActivity("AwaitMembers", anything, anything).Return(nil, never("NotReady", stuck))
				} else {
					s.stillToCome(func() bool { return false })
				}
				s.playTraffic()
				s.RegisterDelayedCallback(s.CancelWorkflow, 30*time.Second)
				s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
				require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
				require.False(t, forgotten, "the next Rollback finds nothing to do though %s", stuck)
			})
		}
	}
}

func TestARollbackThatIsDoneLeavesNoMarks(t *testing.T) {
	s := newTheatre(t)
	forgotten := false
	s.forgets(&forgotten)
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	requireOrder(t, s.called(), "Unfence@source", "AwaitMembers@target", "Pending", "Forget")
}

// The brokers name the marked groups page by page; marks that stay don't keep that from ending.
func TestARollbackOfManyGroupsReturnsEachOnceThoughMarksStay(t *testing.T) {
	s := newTheatre(t)
	fenced, marked := []string{"a", "b", "c"}, []string{"d", "e", "f"}
	page := func(names []string, after string) (some []string, more int) {
		for len(names) > 0 && names[0] <= after {
			names = names[1:]
		}
		return names[:min(2, len(names))], max(0, len(names)-2)
	}
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context,
		r activities.SurveyRequest,
	) (found activities.Survey, err error) {
		var closed, open []string
		closed, found.MoreFenced = page(fenced, r.After)
		open, found.MoreOpened = page(marked, r.After)
		found.FencedGroups, found.OpenedGroups = api.Some(closed...), api.Some(open...)
		return found, nil
	})
	s.groupsStep("Unfence", func(r activities.GroupsRequest) error {
		names, _ := r.Groups.Inline()
		fenced = lists.Without(fenced, names)
		marked = slices.Sorted(slices.Values(slices.Concat(names, marked)))
		return nil
	})
	shut := map[string]int{}
	s.groupsStep("Fence", func(r activities.GroupsRequest) error {
		names, _ := r.Groups.Inline()
		for _, name := range names {
			shut[name]++
		}
		return nil
	})
	s.OnActivity("Forget", anything,
		anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		names, _ := r.Groups.Inline()
		marked = lists.Without(marked, names)
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Empty(t, marked)
	require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}, shut)
}

func TestTheUndoOfAMoveThatApplicationsWereAskedForKeepsItsMarks(t *testing.T) {
	s := newTheatre(t)
	forgotten := false
	s.forgets(&forgotten)
	s.OnActivity("AwaitMembers", anything, anything).Return(nil, stayedAway())
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	requireOrder(t, s.called(), "Unfence@source", "Fence@target")
	require.False(t, forgotten, "some may be on the target")
}

func TestWhatOthersClosedIsNotOnRecordAsFenced(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.ShiftType: shift.Shift, api.RollbackType: rollback.Rollback})
	s.OnActivity("ClosedByOthers", anything, anything).Return([]string{"audit-group"}, nil)
	s.OnActivity("AwaitSettled", anything, anything).Return(notYet("members hold 3 messages"))
	asked := false
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey,
		error,
	) {
		if len(r.RecordedIn) > 0 {
			asked = true
			require.Equal(t, []string{"audit-group"}, r.Closed.Named,
				"with no mark anywhere Rollback opens what is on record")
		}
		return activities.Survey{}, nil
	})
	s.OnActivity("PlanWaves", anything, anything).Return([]activities.Wave{{
		Step: 100, Topics: api.Some("payments"), Free: api.Some("payments"),
		Groups: api.Some("audit-group", "payments-group"),
	}}, nil)
	s.playTraffic()
	// the budget passes, the fence is undone and its marks are forgotten; then somebody goes back
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, 5*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, oneStep)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.True(t, asked)
}
