package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// stillToCome plays Pending: messages are still to come from the target until done says that none
// are.
func (s *theatre) stillToCome(done func() bool) {
	s.OnActivity("AwaitPending", anything,
		anything).Return(func(context.Context, activities.Request) error {
		if done() {
			return nil
		}
		return notYet("70 are still to come from the target")
	})
	s.OnActivity("Pending", anything,
		anything).Return(func(context.Context, activities.Request) (activities.Ledger, error) {
		if done() {
			return activities.Ledger{}, nil
		}
		return activities.Ledger{
			Rest: 70,
			Rows: activities.Some(activities.LedgerRow{Kind: "lag", Object: "topic orders", Rest: 70}),
		}, nil
	})
}

func TestBackDuringARollbackDoesNotEndIt(t *testing.T) {
	for name, send := range map[string]func(*theatre) *answered{
		"update": func(s *theatre) *answered { return s.update(BackName, Steering{By: "bob"}) },
		"signal": func(s *theatre) *answered {
			s.SignalWorkflow(BackName, Steering{By: "bob"})
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			s.OnActivity("Survey", anything,
				anything).Return(activities.Survey{FencedGroups: activities.Some("orders-group")}, nil)
			came := false
			s.stillToCome(func() bool { return came })
			s.playTraffic()
			var got *answered
			s.RegisterDelayedCallback(func() { got = send(s) }, time.Minute)
			s.RegisterDelayedCallback(func() {
				require.False(t, s.IsWorkflowCompleted(), "messages are still to come")
				came = true
			}, 2*time.Minute)
			s.ExecuteWorkflow(RollbackType, MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, StateDone, s.result(t).State)
			require.Contains(t, s.called(), "Unfence@source")
			if got != nil {
				require.NoError(t, got.rejected)
				require.Equal(t, "already going back", got.result)
			}
		})
	}
}

func TestBackLiftsTheHoldOfARollback(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{FencedGroups: activities.Some("orders-group")}, nil)
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(HoldName, Steering{By: "alice"}) }, 0)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Unfence@source", "held")
		s.update(BackName, Steering{By: "bob"})
	}, time.Minute)
	s.ExecuteWorkflow(RollbackType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.Contains(t, s.called(), "Unfence@source")
}

// shiftUntilBack stands in for a Shift that a person ends by back.
func shiftUntilBack(ctx workflow.Context, _ MigrationInput) (Status, error) {
	workflow.GetSignalChannel(ctx, BackName).Receive(ctx, nil)
	return Status{State: StateRolledBack}, nil
}

func TestASecondBackLeavesTheRollbackOfAMigrationAlone(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{ShiftType: shiftUntilBack, RollbackType: Rollback})
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{FencedGroups: activities.Some("orders-group")}, nil)
	came := false
	s.stillToCome(func() bool { return came })
	s.playTraffic()
	var second *answered
	s.RegisterDelayedCallback(func() { s.update(BackName, Steering{By: "alice"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { second = s.update(BackName, Steering{By: "bob"}) },
		2*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Replicate stopped",
			"lanes run while messages are still to come")
		came = true
	}, 3*time.Minute)
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, "already going back", second.result)
	require.Equal(t, StateRolledBack, s.result(t).State)
}

func TestARollbackThatEndedUnfinishedHoldsTheMigration(t *testing.T) {
	for name, state := range map[string]string{
		"rolled back": StateRolledBack, "held": StateHeld,
		"unknown": "",
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			s := newMigration(t, map[string]stageFunc{
				ShiftType: shiftUntilBack,
				RollbackType: func(workflow.Context, MigrationInput) (Status, error) {
					if tries++; tries == 1 {
						return Status{State: state}, nil
					}
					return Status{State: StateDone}, nil
				},
			})
			s.RegisterDelayedCallback(func() { s.update(BackName, Steering{By: "alice"}) },
				time.Minute)
			s.RegisterDelayedCallback(func() {
				require.Contains(t, s.statusNow(t).Waiting[0].Text,
					"ended before everything was back")
				s.update(ResumeName, Steering{By: "alice"})
			}, 2*time.Minute)
			s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, StateRolledBack, s.result(t).State)
			require.Equal(t, 2, tries)
		})
	}
}

func TestARollbackEndsSoonAfterNothingIsToComeAnyMore(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{FencedGroups: activities.Some("orders-group")}, nil)
	start, came := s.Now(), false
	s.stillToCome(func() bool { return came })
	s.playTraffic()
	const at = 22 * time.Minute // measurements are rare by then
	s.RegisterDelayedCallback(func() { came = true }, at)
	s.ExecuteWorkflow(RollbackType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.Less(t, s.Now().Sub(start), at+2*time.Minute)
}

func TestBackIsHeardWhileEvidenceCanNotBeMeasured(t *testing.T) {
	for _, broken := range []string{"State", "Describe"} {
		t.Run(broken, func(t *testing.T) {
			s := newTheatre(t)
			late := false
			answer := func(name string) error {
				if name == broken && !late {
					return targetAway()
				}
				return nil
			}
			s.OnActivity("State", anything,
				anything).Return(func(context.Context, activities.Request) (activities.ReplicationState, error) {
				return activities.ReplicationState{}, answer("State")
			})
			s.OnActivity("Describe", anything,
				anything).Return(func(context.Context, activities.Request) (activities.PurchaseResult, error) {
				return activities.PurchaseResult{}, answer("Describe")
			})
			s.playTraffic()
			s.RegisterDelayedCallback(func() { s.update(BackName, Steering{By: "alice"}) },
				10*time.Second)
			s.RegisterDelayedCallback(func() { late = true }, 40*time.Second)
			s.ExecuteWorkflow(ShiftType, MigrationInput{
				Plan: testPlan(t, func(p *plan.Plan) {
					p.Shift.Steps, p.Approvals = []int{100}, []plan.Gate{plan.GateShift}
				}),
				Inventory: testInventory(),
			})
			require.False(t, late, "30 s after back Shift still waited for a measurement")
		})
	}
}
