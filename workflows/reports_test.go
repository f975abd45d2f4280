package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
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
	"rocketshift/workflows/shift"
	"rocketshift/workflows/stage"
)

// tellingStage notes how often its parent is told, and of what.
func TestAStageTellsABurstOnceAndNothingTwice(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything, anything).
		Return(activities.PurchaseResult{Provider: "local", Name: "orders-2026"}, nil)
	var told []map[string]json.RawMessage
	s.OnSignalExternalWorkflow(anything, anything, anything, report.Signal, anything).Return(
		func(_, _, _, _ string, arg any) error {
			r, ok := arg.(report.Report)
			require.True(t, ok)
			told = append(told, r.Changes)
			return nil
		})
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	seen := map[string]string{}
	for _, changes := range told {
		require.NotEmpty(t, changes)
		for name, value := range changes {
			require.NotEqual(t, seen[name], string(value), "%s is told twice", name)
			seen[name] = string(value)
		}
	}
	require.LessOrEqual(t, len(told), 2, "its beginning, and what it does: %v", told)
}

func TestAFailedStageTellsWhatItFound(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.VerifyType: prepare.Verify})
	s.OnActivity("Verify", anything, anything).Return(api.Verification{Lanes: 8, Compared: 10, Missing: 1}, nil)
	s.RegisterDelayedCallback(func() {
		status := s.statusNow(t)
		require.NotNil(t, status.Verification)
		require.EqualValues(t, 1, status.Verification.Missing)
		s.update(api.BackName, api.Steering{By: "alice"})
	}, time.Minute)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
}

func TestReportsOfARunThatHasEndedArentHeard(t *testing.T) {
	tries := 0
	s := newMigration(
		t,
		map[string]stageFunc{
			api.ImportMetadataType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
				if tries++; tries == 1 {
					run := workflow.GetInfo(ctx).WorkflowExecution.RunID
					_ = workflow.SignalExternalWorkflow(ctx, in.Plan.WorkflowID(), "", report.Signal, report.Report{
						WorkflowID: api.StageID(in.Plan, api.ImportMetadataType), Run: run, Number: 1,
						Changes: map[string]json.RawMessage{"detail": json.RawMessage(`"of the first run"`)},
					}).Get(ctx, nil)
					return api.Status{}, temporal.NewNonRetryableApplicationError("no", "Conflict", nil)
				}
				return api.Status{State: api.StateDone, Detail: "went well"}, nil
			},
		},
	)
	s.RegisterDelayedCallback(func() { s.update(api.ResumeName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	for _, row := range s.result(t).Stages {
		if row.Name == api.ImportMetadataType {
			require.Equal(t, "went well", row.Detail)
		}
	}
}

func TestOrderedTopicsAreOneQuestionOfFewActivities(t *testing.T) {
	var found api.Assessment
	for i := range 900 {
		found.Topics = append(found.Topics, api.Topic{Name: fmt.Sprintf("t%03d", i), Ordered: true})
	}
	inventory := api.Whole(found)
	s := newTheatre(t)
	var mu sync.Mutex
	parts := map[string]bool{}
	var said []string
	s.movesOrdered(func(r activities.AwaitMoveRequest) error {
		mu.Lock()
		defer mu.Unlock()
		parts[first(r.Topics)] = true
		said = append(said, r.Said...)
		if !r.Released {
			return temporal.NewApplicationErrorWithOptions("producers still write", "NotReady",
				temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
		}
		return nil
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1, "one question for all of them")
		require.Equal(t, 900, w[0].Topics.Len())
		s.update(api.ReleasedName, api.Released{By: "ci", Topics: []string{"t007"}})
	}, time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.ReleasedName, api.Released{By: "ci"}) }, 2*time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: &inventory})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Contains(t, said, "t007")
	require.Len(t, parts, stage.MostParts)
}

func TestGroupsAreFencedABatchAfterAnother(t *testing.T) {
	found := testAssessment()
	found.Topics = []api.Topic{{Name: "orders"}}
	for i := range 450 {
		found.Topics[0].Readers = append(found.Topics[0].Readers, fmt.Sprintf("g%03d", i))
	}
	inventory := api.Whole(found)
	s := newTheatre(t)
	var sizes []int
	s.groupsStep("Fence", func(r activities.GroupsRequest) error {
		sizes = append(sizes, r.Groups.Len())
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: &inventory})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, []int{200, 200, 50}, sizes)
	requireOrder(t, s.called(), "Fence@source", "AwaitMembers@source", "Fence@source", "AwaitMembers@source")
}

func TestGroupsThatOthersClosedAreNamedInDocumentsWhenTheyAreMany(t *testing.T) {
	found := testAssessment()
	found.Topics = []api.Topic{{Name: "orders"}}
	var closed []string
	for i := range 450 {
		closed = append(closed, fmt.Sprintf("g%03d", i))
	}
	found.Topics[0].Readers = closed
	inventory := api.Whole(found)
	s := newTheatre(t)
	s.OnActivity("ClosedByOthers", anything, anything).Return(
		func(_ context.Context, r activities.GroupsRequest) ([]string, error) { return r.Groups.First(), nil })
	var kept []string
	s.OnActivity("KeepNames", anything, anything).Return(
		func(_ context.Context, r activities.NamesRequest) (api.Names, error) {
			kept = append(kept, r.Names.First()...)
			return api.Some("of a document"), nil
		})
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, func(p *plan.Plan) {
		p.Shift.Steps = []int{50, 100}
	}), Inventory: &inventory})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	named, lists := 0, 0
	for _, w := range got.Waves {
		named, lists = named+len(w.Closed.Named), lists+len(w.Closed.In)
		kept = append(kept, w.Closed.Named...)
	}
	slices.Sort(kept)
	require.Equal(t, closed, kept, "none is forgotten")
	require.LessOrEqual(t, named, shift.MostClosed, "in all steps")
	require.Positive(t, lists)
}

func TestWordsOfPersonsHaveBounds(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{api.PurchaseType: prepare.Purchase})
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	long := string(make([]byte, message.LongestWords+1))
	answers := map[string]*answered{}
	s.RegisterDelayedCallback(func() {
		for name, message := range map[string]any{
			api.ApproveName:  api.Approval{Gate: "purchase", By: "alice", Reason: long},
			api.HoldName:     api.Steering{By: long},
			api.ReleasedName: api.Released{By: "ci", Groups: make([]string, message.MostReleased+1)},
		} {
			answers[name] = s.update(name, message)
		}
	}, time.Minute)
	s.RegisterDelayedCallback(func() {
		s.update(api.ApproveName, api.Approval{Gate: "purchase", By: "alice", Reason: "fits"})
	}, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Len(t, answers, 3)
	for name, a := range answers {
		require.ErrorContains(t, a.rejected, "at most are 1000", name)
	}
}
