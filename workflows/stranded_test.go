package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
)

// stranded plays what a Shift and its migration, or a Rollback, left when both were terminated.
func (s *theatre) stranded() {
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{
		Source: []string{"orders-group"}, Target: []string{"audit-group"},
	}, nil)
	s.groupsStep("Unfence", func(r activities.GroupsRequest) error {
		s.note("open " + r.Groups[0] + "@" + string(r.Side))
		return nil
	})
}

func TestAMigrationThatIsStartedAnewFirstFreesGroupsThatAMoveLeftClosed(t *testing.T) {
	s := emptyTheatre(t)
	s.stranded()
	fillMigration(s, nil)
	s.playTraffic()
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	requireOrder(t, s.called(), "open audit-group@target", "open orders-group@source",
		"Fence@target", AssessType)
}

func TestStagesThatAreStartedAloneFirstFreeGroupsThatAMoveLeftClosed(t *testing.T) {
	for kind, first := range map[string]string{
		ShiftType: "Translate@source", RollbackType: "AwaitReturnable@target free [payments]",
	} {
		t.Run(kind, func(t *testing.T) {
			s := newTheatre(t)
			s.stranded()
			s.OnActivity("Survey", anything,
				anything).Return(activities.Survey{FencedGroups: []string{"audit-group"}}, nil)
			s.playTraffic()
			s.ExecuteWorkflow(kind, MigrationInput{
				Plan: testPlan(t, oneStep), Inventory: testInventory(),
			})
			require.Equal(t, StateDone, s.result(t).State)
			requireOrder(t, s.called(), "open audit-group@target", "open orders-group@source", first)
		})
	}
}

func TestAMigrationStartsThoughNobodyKnowsWhatAMoveLeftClosed(t *testing.T) {
	s := emptyTheatre(t)
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{}, targetAway())
	fillMigration(s, nil)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, StateDone, got.State)
	require.Contains(t, got.Notes[0], "isn't known: the target at 10.0.0.1:9876")
}

func TestAMigrationWaitsForTheUndoOfAShiftOfAnEarlierRun(t *testing.T) {
	s := emptyTheatre(t)
	s.left = 3
	fillMigration(s, nil)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	const cancel = "cancel migration-orders-2026-shift"
	require.Equal(t, []string{cancel, cancel, cancel, AssessType}, s.called()[:4])
	require.Contains(t, got.Notes[0], "Shift of an earlier run is cancelled")
}

func TestAShiftThatIsCancelledWhileItAsksForApplicationsFreesThoseThatWait(t *testing.T) {
	s := newTheatre(t)
	looks := 0
	s.OnActivity("Stranded", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Stranded, error) {
		if looks++; looks == 1 { // when it starts
			return activities.Stranded{}, nil
		}
		return activities.Stranded{Source: []string{"orders-group"}}, nil
	})
	s.OnActivity("AwaitMembers", anything, anything).Return(nil, notYet("they are on the source"))
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Unfence@source")
		s.CancelWorkflow()
	}, 30*time.Second)
	s.ExecuteWorkflow(ShiftType, MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	requireOrder(t, s.called(), "Unfence@source", "Fence@target")
}

func TestAShiftThatIsCancelledWhileProducersMayWriteNowhereOpensTheTarget(t *testing.T) {
	for name, late := range map[string]bool{"lanes bring the rest": false, "lanes are dead": true} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			begun := s.Now()
			s.OnActivity("AwaitDrained", anything,
				anything).Return(func(_ context.Context, r activities.TopicsRequest) (activities.ReplicationState, error) {
				if r.Topics[0] == "orders" && (late || s.Now().Sub(begun) < 40*time.Second) {
					return activities.ReplicationState{}, notYet("orders/3 isn't copied yet")
				}
				return activities.ReplicationState{}, nil
			})
			s.playTraffic()
			s.RegisterDelayedCallback(s.CancelWorkflow, 20*time.Second)
			s.ExecuteWorkflow(ShiftType, MigrationInput{
				Plan: testPlan(t, oneStep), Inventory: testInventory(),
			})
			require.True(t, temporal.IsCanceledError(s.GetWorkflowError()))
			if !late {
				require.Contains(t, s.called(), "OpenTopics orders@target")
				return
			}
			require.NotContains(t, s.called(), "OpenTopics orders@target")
			require.Contains(t, s.statusNow(t).Notes[0], "may write on the source alone")
		})
	}
}
