package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/prepare"
	"rocketshift/workflows/report"
	"rocketshift/workflows/stage"
)

// askingPurchase is a migration whose Purchase asks for an approval.
func askingPurchase(t *testing.T) (*workflowEnvironment, plan.Plan) {
	t.Helper()
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{Provider: "local"},
		nil)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	return s, testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
}

func TestAHoldAtAGateIsShownWithTheCommandThatLiftsIt(t *testing.T) {
	s, p := askingPurchase(t)
	s.RegisterDelayedCallback(func() {
		s.update(api.HoldName, api.Steering{By: "bob", Reason: "market hours"})
		s.update(api.HoldName, api.Steering{By: "carol", Reason: "lunch"})
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Len(t, now.Waiting, 2, "one hold, and the gate: %v", now.Waiting)
		require.Equal(t, "held by carol: lunch", now.Waiting[0].Text)
		require.Equal(t, "rocketshift resume orders-2026 --by YOU", api.NextCommand(now, now.Waiting[0]))
		require.Equal(t, "gate:resume", stage.WaitingValue(now))
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 2*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), api.ImportMetadataType, "it is held")
		now := s.statusNow(t)
		require.Equal(t, "held by carol: lunch", now.Waiting[0].Text)
		s.update(api.ResumeName, api.Steering{By: "bob"})
	}, 3*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
}

// severalBatches are so many groups, which read one topic.
func severalBatches(groups int) *api.Inventory {
	found := testAssessment()
	found.Topics = []api.Topic{{Name: "orders"}}
	for i := range groups {
		found.Topics[0].Readers = append(found.Topics[0].Readers, fmt.Sprintf("g%03d", i))
	}
	inventory := api.Whole(found)
	return &inventory
}

// heldBetweenBatches runs Shift until Replicate is missing at the first batch, sees what is shown,
// and goes on or back a minute later.
func heldBetweenBatches(t *testing.T, s *workflowEnvironment, p plan.Plan, batches *int, then func()) {
	t.Helper()
	s.RegisterDelayedCallback(func() {
		require.Equal(t, 1, *batches, "no further group moves without lanes")
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Contains(t, now.Waiting[0].Text, "resume tries at once, back returns everything")
		require.Contains(t, api.Details(now), "rocketshift back orders-2026 --by YOU")
		then()
	}, time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: severalBatches(450)})
}

func TestGroupsAreHeldBetweenBatchesWhenLanesDoNotRun(t *testing.T) {
	for _, back := range []bool{false, true} {
		s := newTheatre(t)
		batches := 0
		s.groupsStep("Fence", func(r activities.GroupsRequest) error {
			if r.Side == api.Source {
				if batches++; batches == 1 {
					s.SignalWorkflow(message.MissingSignal,
						message.Missing{Text: "Replicate doesn't run: no disk", Number: 7})
				}
			}
			return nil
		})
		s.playTraffic()
		heldBetweenBatches(t, s, testPlan(t, oneStep), &batches, func() {
			if back {
				s.update(api.BackName, api.Steering{By: "alice"})
				return
			}
			s.SignalWorkflow(message.MissingSignal, message.Missing{Text: "", Number: 8})
		})
		if back {
			require.ErrorContains(t, s.GetWorkflowError(), "back")
			require.Equal(t, 1, batches)
			continue
		}
		require.Equal(t, api.StateDone, s.result(t).State)
		require.Equal(t, 3, batches)
	}
}

func TestGatewaysLeadNoFurtherBatchWhenLanesDoNotRun(t *testing.T) {
	s := newTheatre(t)
	batches := 0
	s.OnActivity("MoveGroups", anything, anything).Return(func(context.Context, activities.GroupsRequest) error {
		if batches++; batches == 1 {
			s.SignalWorkflow(message.MissingSignal, message.Missing{Text: "Replicate doesn't run: no disk", Number: 7})
		}
		return nil
	})
	s.playGateway()
	s.playTraffic()
	heldBetweenBatches(t, s, testPlan(t, func(p *plan.Plan) {
		byGateway(p)
		p.Shift.Steps = []int{100}
	}), &batches, func() {
		s.SignalWorkflow(message.MissingSignal, message.Missing{Text: "", Number: 8})
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, 3, batches)
}

func TestBackLiftsAHold(t *testing.T) {
	s, p := askingPurchase(t)
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "bob"}) }, time.Minute)
	s.RegisterDelayedCallback(func() {
		s.update(api.BackName, api.Steering{By: "bob"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}

func TestAHeldShiftGoesBackWithoutAResume(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.ShiftType: shiftUntilBack})
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "bob"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "bob"}) }, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.Contains(t, s.called(), api.RollbackType)
}

func TestWhatAPersonSaysIsNotedOnce(t *testing.T) {
	s, p := askingPurchase(t)
	s.RegisterDelayedCallback(func() { s.update(api.HoldName, api.Steering{By: "bob"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.ResumeName, api.Steering{By: "bob"}) }, 2*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.Len(t, s.statusNow(t).Notes, 2, "the stage was told too: %v", s.statusNow(t).Notes)
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 3*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Len(t, s.result(t).Notes, 2, "%v", s.result(t).Notes)
}

func TestAHoldOfAStageAloneIsShownAtItsMigration(t *testing.T) {
	s, p := askingPurchase(t)
	s.RegisterDelayedCallback(func() {
		require.NoError(t, s.SignalWorkflowByID(api.StageID(p, api.PurchaseType), api.HoldName,
			api.Steering{By: "bob"}))
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, api.ResumeName, s.statusNow(t).Waiting[0].Gate)
		require.NoError(t, s.SignalWorkflowByID(api.StageID(p, api.PurchaseType), api.ResumeName,
			api.Steering{By: "bob"}))
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
}

// A run that was reset counts its reports on from where it was: its parent has heard of greater
// numbers, unless they go with the time.
func TestReportsOfARunThatWasResetAreNewer(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	id := api.StageID(p, api.PurchaseType)
	s.RegisterDelayedCallback(func() { // the run before the reset told much, until now
		s.SignalWorkflow(report.Signal, report.Report{
			WorkflowID: id, Number: s.Now().UnixNano() - 1,
			Status: &api.Status{State: api.StateRunning, Detail: "of before the reset"},
		})
	}, time.Hour)
	s.RegisterDelayedCallback(func() {
		require.NoError(t, s.SignalWorkflowByID(id, api.HoldName, api.Steering{By: "bob"}))
	}, 2*time.Hour)
	s.RegisterDelayedCallback(func() {
		require.NotEmpty(t, s.statusNow(t).Waiting, "the report after the reset is heard")
		require.NoError(t, s.SignalWorkflowByID(id, api.ResumeName, api.Steering{By: "bob"}))
	}, 2*time.Hour+time.Minute)
	s.RegisterDelayedCallback(func() {
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 150*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestAStageThatIsResetAfterItsEndIsHeardOf(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.ImportMetadataType: failingStage("terminated", "x")})
	p := testPlan(t, nil)
	id := api.StageID(p, api.ImportMetadataType)
	tell := func(after time.Duration, detail string) {
		s.SignalWorkflow(report.Signal, report.Report{
			WorkflowID: id, Number: s.Now().Add(after).UnixNano(),
			Status: &api.Status{State: api.StateRunning, Detail: detail},
		})
	}
	detail := func() string {
		for _, row := range s.statusNow(t).Stages {
			if row.Name == api.ImportMetadataType {
				return row.Detail
			}
		}
		return ""
	}
	s.RegisterDelayedCallback(func() { tell(-time.Hour, "older than its end") }, time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotEqual(t, "older than its end", detail())
		tell(0, "goes on after a reset")
	}, 2*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, "goes on after a reset", detail())
		s.update(api.BackName, api.Steering{By: "bob"})
	}, 3*time.Minute)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}

func TestTheLastWordOfAMigrationSaysThatNothingRuns(t *testing.T) {
	s := newMigration(t, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, "everything has moved to the target, and the ledger of the source is settled",
		s.result(t).Detail)
}

func TestQuestionsOfStepsNameWhatMoves(t *testing.T) {
	for mode, change := range map[string]func(*plan.Plan){
		"50% of the queues of all topics; groups audit-group, orders-group;": byGateway,
		"topics orders, payments; groups ":                                   oneStep,
	} {
		s := newTheatre(t)
		s.playGateway()
		s.playTraffic()
		s.RegisterDelayedCallback(func() {
			require.Contains(t, s.statusNow(t).Waiting[0].Text, mode)
			s.update(api.BackName, api.Steering{By: "alice"})
		}, time.Minute)
		p := testPlan(t, func(p *plan.Plan) {
			change(p)
			p.Approvals = []plan.Gate{plan.GateShift}
		})
		s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: testInventory()})
		s.leftBehind(t)
	}
}

func TestAnUpdateThatIsBeingJudgedIsAnsweredBeforeTheEnd(t *testing.T) {
	s := newTheatre(t)
	release := false
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		d, err := stage.New(ctx, api.AssessType, in)
		if err != nil {
			return api.Status{}, err
		}
		if err := workflow.SetUpdateHandler(ctx, "slow", func(ctx workflow.Context) error {
			release = true
			return workflow.Sleep(ctx, time.Minute)
		}); err != nil {
			return api.Status{}, err
		}
		return d.Execute(ctx, func(ctx workflow.Context) error {
			return workflow.Await(ctx, func() bool { return release })
		})
	}, workflow.RegisterOptions{Name: "slow"})
	var slow answered
	s.RegisterDelayedCallback(func() { s.UpdateWorkflow("slow", "", &slow) }, time.Minute)
	p := testPlan(t, nil)
	s.TestWorkflowEnvironment.SetStartWorkflowOptions(startAs(api.StageID(p, api.AssessType)))
	s.TestWorkflowEnvironment.ExecuteWorkflow("slow", api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.True(t, slow.completed, "the update has its answer")
}

func TestWhatWasApprovedInAStageThatFailedStaysOnRecord(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	tries := 0
	s.OnActivity("Purchase", anything, anything).Return(func(context.Context,
		activities.Request,
	) (activities.PurchaseResult, error) {
		if tries++; tries == 1 {
			return activities.PurchaseResult{}, temporal.NewNonRetryableApplicationError("no quota", "Refused", nil)
		}
		return activities.PurchaseResult{Provider: "local"}, nil
	})
	approve := func() { s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"}) }
	s.RegisterDelayedCallback(approve, time.Minute)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, api.StateHeld, s.statusNow(t).State)
		s.update(api.ResumeName, api.Steering{By: "bob"})
	}, 2*time.Minute)
	s.RegisterDelayedCallback(approve, 3*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{
		Plan: testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} }),
	})
	result := s.result(t)
	require.Equal(t, api.StateDone, result.State)
	require.Len(t, result.Approvals, 2, "both: %v", result.Approvals)
}

func TestAnOlderWordOnWhatIsMissingThatComesLateChangesNothing(t *testing.T) {
	s, p := newTheatre(t), testPlan(t, oneStep)
	s.playTraffic()
	s.OnActivity("AwaitMembers", anything, anything).Return(nil, notYet("they are on the source"))
	s.RegisterDelayedCallback(func() {
		s.SignalWorkflow(message.MissingSignal, message.Missing{Text: "", Number: 7})
		s.SignalWorkflow(message.MissingSignal, message.Missing{Text: "Replicate doesn't run", Number: 6})
	}, 10*time.Second)
	s.RegisterDelayedCallback(func() {
		require.NotEqual(t, api.StateHeld, s.statusNow(t).State)
		s.SignalWorkflow(message.MissingSignal, message.Missing{Text: "Replicate doesn't run", Number: 8})
	}, 20*time.Second)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, api.StateHeld, s.statusNow(t).State)
		s.CancelWorkflow()
	}, 30*time.Second)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: testInventory()})
}
