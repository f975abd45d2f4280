package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/prepare"
	"rocketshift/workflows/report"
	"rocketshift/workflows/stage"
)

type stageFunc = func(workflow.Context, api.MigrationInput) (api.Status, error)

// newMigration is a workflow environment with the real Migration and stand-ins for its children;
// services run until they are told to stop.
func newMigration(t *testing.T, instead map[string]stageFunc) *workflowEnvironment {
	t.Helper()
	s := emptyTheatre(t)
	fillMigration(s, instead)
	return s
}

func fillMigration(s *workflowEnvironment, instead map[string]stageFunc) {
	register := func(name string, run stageFunc) {
		if other := instead[name]; other != nil {
			run = other
		}
		s.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: name})
	}
	register(api.MigrationType, Migration)
	for _, name := range []string{api.AssessType, api.PurchaseType, api.ImportMetadataType, api.VerifyType, api.ShiftType, api.EndPhaseType, api.FinalizeType, api.RollbackType} {
		register(name, s.goodStage(name))
	}
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		register(name, s.untilStopped(name))
	}
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{}, nil)
	s.OnActivity("WatchTarget", anything, anything).Return(nil) // nobody watches
	s.OnActivity("Missing", anything, anything).Return([]string(nil), nil)
	s.OnActivity("AwaitCaughtUp", anything, anything).Return(activities.ReplicationState{Lanes: 16, Lag: 3}, nil)
	s.OnActivity("Write", anything, anything).
		Return(func(_ context.Context, r activities.ReportRequest) (activities.ReportResult, error) {
			s.note("report")
			return activities.ReportResult{Path: "reports/" + r.Name + ".json"}, nil
		})
}

func (s *workflowEnvironment) goodStage(name string) stageFunc {
	return func(_ workflow.Context, in api.MigrationInput) (api.Status, error) {
		s.note(name)
		status := api.Status{Name: in.Plan.Name, Type: name, State: api.StateDone, Detail: name + " went well"}
		if name == api.AssessType {
			status.Assessment = testInventory()
		}
		return status, nil
	}
}

func failingStage(text, kind string) stageFunc {
	return func(workflow.Context, api.MigrationInput) (api.Status, error) {
		return api.Status{}, temporal.NewNonRetryableApplicationError(text, kind, nil)
	}
}

func TestMigrationBehindGatewaysHasAnEndPhase(t *testing.T) {
	s := newMigration(t, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{
		api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
		api.VerifyType, api.ShiftType, api.EndPhaseType, api.FinalizeType, "Replicate stopped",
		"SyncOffsets stopped", "report",
	}, s.called())
}

func TestMigrationRunsItsStagesInOrderAndStopsTheServicesLast(t *testing.T) {
	s := newMigration(t, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, "reports/orders-2026.json", got.Report)
	require.Equal(t, []string{
		api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
		api.VerifyType, api.ShiftType, api.FinalizeType, "Replicate stopped", "SyncOffsets stopped", "report",
	}, s.called())
	for _, row := range got.Stages {
		require.Equal(t, api.StageDone, row.State, "stage %s", row.Name)
		require.NotNil(t, row.EndedAt, "stage %s", row.Name)
	}
}

func TestMigrationFailsOnARefusalBeforeAnythingIsBought(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.AssessType: failingStage(`topic "x*" matches nothing`, "Refused")})
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.ErrorContains(t, s.GetWorkflowError(), "matches nothing")
	require.Equal(t, []string{"report"}, s.called(), "only the report is written")
}

func TestMigrationHoldsWhenAStageFailsAndResumeTriesItAgain(t *testing.T) {
	tries := 0
	s := newMigration(t, map[string]stageFunc{
		api.ImportMetadataType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			if tries++; tries == 1 {
				return failingStage("topic orders has 2 queues on the target, wants 8", "Conflict")(ctx, in)
			}
			return api.Status{State: api.StateDone}, nil
		},
	})
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.Equal(t, api.ResumeName, status.Waiting[0].Gate)
		require.Contains(t, status.Waiting[0].Text, "wants 8")
		s.update(api.ResumeName, api.Steering{By: "alice", Reason: "deleted the old topic"})
	}, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, 2, tries)
}

func TestMigrationForwardsAnApprovalToTheChildThatWaits(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything, anything).
		Return(activities.PurchaseResult{Provider: "local", Name: "orders-2026", Version: "5.3.3"}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	var wrong, nobody *answered
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.Equal(t, api.StateWaiting, status.State)
		require.Equal(t, "purchase", status.Waiting[0].Gate, "the child's request is visible in the parent")
		require.NotContains(t, s.called(), api.ImportMetadataType)
		wrong, nobody = s.update(api.ApproveName, api.Approval{Gate: "shift-25", By: "alice"}), s.update(
			api.ApproveName, api.Approval{Gate: "purchase"},
		)
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice", Reason: "budget ok"})
	}, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	got := s.result(t)
	require.ErrorContains(t, wrong.rejected, "waiting now: purchase")
	require.ErrorContains(t, nobody.rejected, "nobody is named")
	require.Equal(t, "alice", got.Approvals[0].By)
	require.Equal(t, "local:orders-2026", stage.TargetValue(got))
}

func TestMigrationKeepsTheNewestReportOfAChildWhateverTheOrderOfSignals(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	s.RegisterDelayedCallback(func() {
		s.SignalWorkflow(report.Signal, report.Report{
			WorkflowID: api.StageID(p, api.PurchaseType),
			Number:     1,
			Status:     &api.Status{State: api.StateRunning},
		})
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, api.StateWaiting, s.statusNow(t).State, "an older report doesn't hide the question")
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestMigrationGoesBackDuringShiftThroughRollback(t *testing.T) {
	s := newMigration(
		t,
		map[string]stageFunc{api.ShiftType: func(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
			workflow.GetSignalChannel(ctx, api.BackName).Receive(ctx, nil)
			return api.Status{State: api.StateRolledBack}, nil
		}},
	)
	s.RegisterDelayedCallback(
		func() { s.update(api.BackName, api.Steering{By: "alice", Reason: "errors rise"}) }, time.Minute,
	)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, api.StateRolledBack, got.State)
	calls := s.called()
	require.Equal(t, []string{api.RollbackType, "Replicate stopped", "SyncOffsets stopped", "report"},
		calls[len(calls)-4:], "the lanes run until the groups are back")
}

func TestMigrationGoesBackBeforeAnyShiftWithoutRollback(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.Equal(t, []string{api.AssessType, "report"}, s.called())
}

func TestMigrationIgnoresAWrongSignalAndSaysSo(t *testing.T) {
	s := newMigration(t, nil)
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(api.ApproveName, api.Approval{Gate: "moon", By: "alice"}) }, 0)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.NotEmpty(t, got.Notes)
	require.Contains(t, got.Notes[0], `ignored signal approve "moon"`)
}

func TestMigrationRefusesAPlanWithAnUnknownKey(t *testing.T) {
	s := newTheatre(t)
	s.ExecuteWorkflow(api.MigrationType, map[string]any{"plan": map[string]any{
		"name": "x", "source": map[string]any{"nameServers": []string{"127.0.0.1:9876"}},
		"target": map[string]any{"provder": "local"},
	}})
	var app *temporal.ApplicationError
	require.ErrorAs(t, s.GetWorkflowError(), &app)
	require.Equal(t, "Invalid", app.Type())
	require.ErrorContains(t, app, "target.provder")
}
