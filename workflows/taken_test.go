package workflows

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/prepare"
	"rocketshift/workflows/stage"
)

func TestServicesRefuseWhatWouldStopThemOrDoNothing(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	refused := map[string]*answered{}
	s.once(&requests, 2, func() {
		for _, name := range []string{api.HoldName, api.ResumeName, api.BackName} {
			refused[name] = s.update(name, api.Steering{By: "alice"})
		}
		refused[api.ApproveName] = s.update(api.ApproveName, api.Approval{Gate: "shift-25", By: "alice"})
		refused[api.ReleasedName] = s.update(api.ReleasedName, api.Released{By: "ci"})
		s.SignalWorkflow(api.BackName, api.Steering{By: "alice"})
		s.SignalWorkflow(api.AnswerName, skipOne()) // the lanes run still
	})
	s.once(&requests, 4, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	s.ExecuteWorkflow(api.ReplicateType,
		api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	got := s.result(t)
	require.Len(t, requests, 4)
	require.Len(t, refused, 5)
	for name, answer := range refused {
		require.ErrorContains(t, answer.rejected,
			"say it to the migration: rocketshift "+name+" orders-2026")
	}
	require.Contains(t, got.Notes[0],
		"ignored signal back: Replicate takes only answer, setRate and stop")
}

func TestAnApprovalAtTheMigrationIsBoundToWhatItShows(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything,
		anything).Return(activities.PurchaseResult{Provider: "local"}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	var first, second *answered
	shown := api.Waiting{}
	s.RegisterDelayedCallback(func() {
		shown = s.statusNow(t).Waiting[0]
		first = s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
		second = s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "bob"})
	}, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	got := s.result(t)
	require.NoError(t, first.rejected)
	taken, ok := first.result.(api.Approval)
	require.True(t, ok)
	require.Equal(t, shown.Evidence, taken.Evidence)
	require.Equal(t, shown.PlanHash, taken.PlanHash)
	require.ErrorContains(t, second.rejected, "approved by alice")
	require.Len(t, got.Approvals, 1)
}

func TestAnApprovalOfWhatWasMeasuredAnewMeanwhileIsRefusedByTheStage(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: func(ctx workflow.Context,
		in api.MigrationInput,
	) (api.Status, error) {
		d, err := stage.New(ctx, api.PurchaseType, in)
		if err != nil {
			return api.Status{}, err
		}
		return d.Execute(ctx, func(ctx workflow.Context) error {
			measured := 0
			return d.Approve(ctx, func(workflow.Context) (stage.Question, error) { // whose context ends with it
				measured++
				if measured == 2 { // the migration still shows the first: this report is late
					d.Parent = nil
				}
				early := workflow.NewTimer(ctx, 30*time.Minute)
				return stage.Question{
					Gate: "purchase", Text: "buy", Evidence: measured,
					Life: 3 * time.Hour, Until: early.IsReady,
				}, nil
			})
		})
	}})
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	s.RegisterDelayedCallback(func() {
		s.SignalWorkflow(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 45*time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, 50*time.Minute)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	got := s.result(t)
	require.Equal(t, api.StateRolledBack, got.State)
	require.Empty(t, got.Approvals)
	require.NotContains(t, s.called(), api.ImportMetadataType)
}

func TestAWorkflowUnderAnotherIDIsRefusedWithTheRightOne(t *testing.T) {
	for kind, want := range map[string]string{
		api.MigrationType: "migration-orders-2026",
		api.ShiftType:     "migration-orders-2026-shift",
	} {
		s := newTheatre(t)
		s.SetStartWorkflowOptions(client.StartWorkflowOptions{
			ID:        "my-migration",
			TaskQueue: api.ControlTaskQueue,
		})
		s.TestWorkflowEnvironment.ExecuteWorkflow(kind,
			api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
		var app *temporal.ApplicationError
		require.ErrorAs(t, s.GetWorkflowError(), &app)
		require.Equal(t, "Invalid", app.Type())
		require.ErrorContains(t, app, want)
	}
}

func TestAQuestionStandsWhileItsEvidenceIsMeasuredAgain(t *testing.T) {
	s := newTheatre(t)
	measured := 0
	s.OnActivity("State", anything,
		anything).Return(func(context.Context, activities.Request) (activities.ReplicationState,
		error,
	) {
		if measured++; measured == 2 || measured == 3 {
			return activities.ReplicationState{}, notYet("the source is slow")
		}
		return activities.ReplicationState{Lanes: 16, Lag: int64(measured)}, nil
	})
	s.playTraffic()
	p := testPlan(t, func(p *plan.Plan) {
		p.Shift.Steps = []int{100}
		p.Approvals = []plan.Gate{plan.GateShift}
	})
	var first api.Waiting
	var late *answered
	s.RegisterDelayedCallback(func() { first = s.statusNow(t).Waiting[0] }, time.Minute)
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1, "measured anew right now")
		require.Equal(t, first, w[0])
		late = s.update(api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"})
	}, time.Hour+5*time.Second)
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.NotEqual(t, first.Evidence, w[0].Evidence)
		require.Equal(t, first.Since, w[0].Since, "it waits since it was asked first")
		s.update(api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"})
	}, time.Hour+time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: testInventory()})
	require.Empty(t, s.result(t).Waiting)
	require.ErrorContains(t, late.rejected, "is being measured again")
}

func TestSearchAttributesFit(t *testing.T) {
	long := api.Status{Waiting: []api.Waiting{{
		Kind: api.WaitingRelease,
		Gate: "producers of " + strings.Repeat("\u00e4", 400),
	}}}
	value := stage.Keyword(stage.WaitingValue(long))
	require.LessOrEqual(t, len(value), 255)
	require.True(t, utf8.ValidString(value))
	require.True(t, strings.HasPrefix(value, "release:producers of "))
	require.Equal(t, "nobody", stage.Keyword("nobody"))
}
