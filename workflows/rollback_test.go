package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/rollback"
)

// stillToCome plays Pending: messages are still to come from the target until done says that none
// are.
func (s *workflowEnvironment) stillToCome(done func() bool) {
	s.OnActivity("AwaitPending", anything,
		anything).Return(func(context.Context, activities.Request) error {
		if done() {
			return nil
		}
		return notYet("70 are still to come from the target")
	})
	s.OnActivity("Pending", anything,
		anything).Return(func(context.Context, activities.Request) (api.Ledger, error) {
		if done() {
			return api.Ledger{}, nil
		}
		return api.Ledger{
			Rest: 70,
			Rows: api.Some(api.LedgerRow{Kind: "lag", Object: "topic orders", Rest: 70}),
		}, nil
	})
}

func TestBackDuringARollbackDoesNotEndIt(t *testing.T) {
	for name, send := range map[string]func(*workflowEnvironment) *answered{
		"update": func(s *workflowEnvironment) *answered { return s.update(api.BackName, api.Steering{By: "bob"}) },
		"signal": func(s *workflowEnvironment) *answered {
			s.SignalWorkflow(api.BackName, api.Steering{By: "bob"})
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			s.OnActivity("Survey", anything,
				anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
			came := false
			s.stillToCome(func() bool { return came })
			s.playTraffic()
			var got *answered
			s.RegisterDelayedCallback(func() { got = send(s) }, time.Minute)
			s.RegisterDelayedCallback(func() {
				require.False(t, s.IsWorkflowCompleted(), "messages are still to come")
				came = true
			}, 2*time.Minute)
			s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, api.StateDone, s.result(t).State)
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
		anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "alice"}) }, 0)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Unfence@source", "held")
		s.update(api.BackName, api.Steering{By: "bob"})
	}, time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Contains(t, s.called(), "Unfence@source")
}

// shiftUntilBack stands in for a Shift that a person ends by back.
func shiftUntilBack(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
	workflow.GetSignalChannel(ctx, api.BackName).Receive(ctx, nil)
	return api.Status{State: api.StateRolledBack}, nil
}

func TestASecondBackLeavesTheRollbackOfAMigrationAlone(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.ShiftType: shiftUntilBack, api.RollbackType: rollback.Rollback})
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	came := false
	s.stillToCome(func() bool { return came })
	s.playTraffic()
	var second *answered
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { second = s.update(api.BackName, api.Steering{By: "bob"}) },
		2*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Replicate stopped",
			"lanes run while messages are still to come")
		came = true
	}, 3*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, "already going back", second.result)
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}

func TestARollbackThatEndedUnfinishedHoldsTheMigration(t *testing.T) {
	for name, state := range map[string]string{
		"rolled back": api.StateRolledBack, "held": api.StateHeld,
		"unknown": "",
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			s := newMigration(t, map[string]stageFunc{
				api.ShiftType: shiftUntilBack,
				api.RollbackType: func(workflow.Context, api.MigrationInput) (api.Status, error) {
					if tries++; tries == 1 {
						return api.Status{State: state}, nil
					}
					return api.Status{State: api.StateDone}, nil
				},
			})
			s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) },
				time.Minute)
			s.RegisterDelayedCallback(func() {
				require.Contains(t, s.statusNow(t).Waiting[0].Text,
					"ended before everything was back")
				s.update(api.ResumeName, api.Steering{By: "alice"})
			}, 2*time.Minute)
			s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, api.StateRolledBack, s.result(t).State)
			require.Equal(t, 2, tries)
		})
	}
}

func TestARollbackEndsSoonAfterNothingIsToComeAnyMore(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	start, came := s.Now(), false
	s.stillToCome(func() bool { return came })
	s.playTraffic()
	const at = 22 * time.Minute // measurements are rare by then
	s.RegisterDelayedCallback(func() { came = true }, at)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
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
			s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) },
				10*time.Second)
			s.RegisterDelayedCallback(func() { late = true }, 40*time.Second)
			s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
				Plan: testPlan(t, func(p *plan.Plan) {
					p.Shift.Steps, p.Approvals = []int{100}, []plan.Gate{plan.GateShift}
				}),
				Inventory: testInventory(),
			})
			require.False(t, late, "30 s after back Shift still waited for a measurement")
		})
	}
}
