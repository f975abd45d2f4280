package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/plan"
)

func TestAssessWaitsForASourceThatIsDown(t *testing.T) {
	s := newTheatre(t)
	tries := 0
	s.OnActivity("Assess", anything, anything).Return(func(context.Context, activities.Request) (activities.Inventory, error) {
		if tries++; tries < 4 {
			return activities.Inventory{}, temporal.NewApplicationError("name server 127.0.0.1:9876 refuses connections", "SourceUnreachable")
		}
		return *testInventory(), nil
	})
	s.ExecuteWorkflow(AssessType, MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, 2, got.Inventory.Topics)
	require.Equal(t, int64(150), got.Inventory.Messages)
	require.Equal(t, 4, tries)
}

func TestAssessRefusesWithEveryReason(t *testing.T) {
	s := newTheatre(t)
	inventory := testAssessment()
	inventory.Findings = []activities.Finding{
		{Refusal: true, Object: "topics.include[0]", Cause: "\"nothing*\" matches no topic", Next: "correct the pattern"},
		{Object: "group g", Cause: "broadcasting", Next: "its positions stay with the clients"},
	}
	s.OnActivity("Assess", anything, anything).Return(activities.Whole(inventory), nil)
	s.ExecuteWorkflow(AssessType, MigrationInput{Plan: testPlan(t, nil)})
	require.ErrorContains(t, s.GetWorkflowError(), "matches no topic")
	require.NotContains(t, s.GetWorkflowError().Error(), "broadcasting")
}

func TestPurchaseAsksAgainWhenTheEvidenceExpired(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Purchase", anything, anything).Return(activities.PurchaseResult{Provider: "local"}, nil)
	p := testPlan(t, func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GatePurchase} })
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1, "still asked, with a new deadline")
		require.True(t, w[0].Expires.After(s.Now()))
		s.SignalWorkflow(ApproveName, Approval{Gate: "purchase", By: "alice"})
	}, 90*time.Minute)
	s.ExecuteWorkflow(PurchaseType, MigrationInput{Plan: p})
	require.Equal(t, StateDone, s.result(t).State)
}

func TestImportMetadataAppliesInChunksGroupsFirst(t *testing.T) {
	s := newTheatre(t)
	var topics []string
	for i := range 450 {
		topics = append(topics, fmt.Sprintf("t%03d", i))
	}
	diff := activities.MetadataDiff{
		CreateGroups: activities.Some("g"), CreateTopics: activities.Some(topics...), Same: 1,
		Warnings: activities.Some(activities.Finding{Object: "setting regionId", Cause: "is eu"}),
	}
	s.OnActivity("Diff", anything, anything).Return(diff, nil)
	var sizes [][2]int
	s.OnActivity("Apply", anything, anything).Return(func(_ context.Context, r activities.MetadataRequest) (activities.MetadataResult, error) {
		sizes = append(sizes, [2]int{r.Groups.Len(), r.Topics.Len()})
		return activities.MetadataResult{CreatedTopics: r.Topics.Len(), CreatedGroups: r.Groups.Len()}, nil
	})
	s.ExecuteWorkflow(ImportMetadataType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.Equal(t, "created 450 topics, 1 groups; 1 were there; "+
		"1 warnings about brokers' settings, see status or the report", s.result(t).Detail)
	require.Equal(t, [][2]int{{1, 0}, {0, 200}, {0, 200}, {0, 50}}, sizes)
}

func TestImportMetadataChangesNothingOnAConflict(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Diff", anything, anything).Return(activities.MetadataDiff{
		CreateTopics: activities.Some("a"),
		Conflicts:    activities.Some(activities.Finding{Object: "topic orders", Cause: "has 2 queues on the target, the source has 8", Next: "delete it"}),
	}, nil)
	s.ExecuteWorkflow(ImportMetadataType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "topic orders: has 2 queues on the target")
}

func TestVerifyFailsOnADifferenceAndCountsIt(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Verify", anything, anything).Return(activities.Verification{Lanes: 8, Compared: 10, Missing: 1, Examples: []string{"orders q3 offset 7"}}, nil)
	s.ExecuteWorkflow(VerifyType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "1 missing")
	require.ErrorContains(t, s.GetWorkflowError(), "orders q3 offset 7")
}

func TestReplicateRunsOneActivityForEachBrokerUntilStop(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.once(&requests, 2, func() { s.SignalWorkflow(StopName, struct{}{}) })
	s.ExecuteWorkflow(ReplicateType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.Equal(t, "stopped", s.result(t).Detail)
	require.Len(t, requests, 2)
	require.ElementsMatch(t, []string{"broker-a", "broker-b"}, []string{requests[0].Broker, requests[1].Broker})
}

func TestReplicateFailsWhenALaneActivityFailsForGood(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Replicate", anything, anything).Return(activities.ReplicationProgress{},
		temporal.NewNonRetryableApplicationError("topic orders: 8 queues on the source, 2 on the target", "Conflict", nil))
	s.ExecuteWorkflow(ReplicateType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "2 on the target")
}

func TestSyncOffsetsRunsUntilStop(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Sync", anything, anything).Return(func(ctx context.Context, _ activities.Request) (activities.SyncProgress, error) {
		s.note("Sync")
		s.SignalWorkflow(StopName, struct{}{})
		<-ctx.Done()
		return activities.SyncProgress{}, ctx.Err()
	})
	s.ExecuteWorkflow(SyncOffsetsType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.Equal(t, []string{"Sync"}, s.called())
}

func TestFinalizeEndsAtZero(t *testing.T) {
	s := newTheatre(t)
	rest := int64(3)
	s.OnActivity("Ledger", anything, anything).Return(func(context.Context, activities.Request) (activities.Ledger, error) {
		rest--
		return activities.Ledger{Rest: rest, Rows: activities.Some(activities.LedgerRow{Kind: "retry", Object: "orders-group", Rest: rest})}, nil
	})
	s.ExecuteWorkflow(FinalizeType, MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.NotNil(t, got.PointOfNoReturn)
	require.Zero(t, got.Ledger.Rest)
}

func TestFinalizeAcceptsARestThatAnApprovalNames(t *testing.T) {
	s := newTheatre(t)
	ledger := activities.Ledger{Rest: 2, Rows: activities.Some(activities.LedgerRow{Kind: "retry", Object: "orders-group", Rest: 2})}
	s.OnActivity("Ledger", anything, anything).Return(ledger, nil)
	var old *answered
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting[0]
		require.Contains(t, w.Text, "retry orders-group 2")
		old = s.update(ApproveName, Approval{Gate: "finalize", By: "alice", Evidence: "000000000000"})
		s.update(ApproveName, Approval{Gate: "finalize", By: "alice", Evidence: w.Evidence})
	}, time.Minute)
	s.ExecuteWorkflow(FinalizeType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, int64(2), s.result(t).Ledger.Rest)
	require.ErrorContains(t, old.rejected, "is shown now")
}

func TestRollbackReturnsProducersBeforeGroups(t *testing.T) {
	inventory := activities.Whole(activities.Assessment{Topics: []activities.Topic{{Name: "orders", Ordered: true}, {Name: "audit"}}})
	for free, in := range map[string]MigrationInput{
		"[]":      {Plan: testPlan(t, nil)}, // nobody knows whose order matters
		"[audit]": {Plan: testPlan(t, nil), Inventory: &inventory},
	} {
		s := newTheatre(t)
		s.OnActivity("Survey", anything, anything).Return(activities.Survey{FencedGroups: activities.Some("orders-group"), MovedTopics: activities.Some("orders")}, nil)
		s.playTraffic()
		s.ExecuteWorkflow(RollbackType, in)
		require.Equal(t, StateDone, s.result(t).State)
		const producers = "AwaitQuiet orders@target"
		called := s.called()
		require.Equal(t, producers, called[0])
		// Producers that were on their way are asked for beside the groups.
		groups := without(called, []string{producers})
		require.Len(t, called, len(groups)+3)
		require.Equal(t, []string{
			"AwaitReturnable@target free " + free, "Fence@target", "AwaitSettled@target",
			"Translate@target", "Unfence@source", "AwaitMembers@target", "AwaitMembers@target",
			"Pending", "Pending",
		}, groups)
	}
}

func TestRollbackEndsWithWhatIsToComeFromTheTargetOnlyIfAPersonSaysSo(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{FencedGroups: activities.Some("orders-group")}, nil)
	left := activities.Ledger{Rest: 3, Rows: activities.Some(activities.LedgerRow{Kind: "delayed", Object: "broker broker-a level 18", Rest: 3})}
	s.OnActivity("Pending", anything, anything).Return(left, nil)
	s.OnActivity("AwaitPending", anything,
		anything).Return(notYet("3 are still to come from the target"))
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting[0]
		require.Contains(t, w.Text, "delayed broker broker-a level 18 3")
		s.update(ApproveName, Approval{Gate: LeaveGate, By: "alice", Evidence: w.Evidence})
	}, callBackTime+time.Minute)
	s.ExecuteWorkflow(RollbackType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, int64(3), s.result(t).Ledger.Rest)
	require.Equal(t, StateDone, s.result(t).State)
}

func TestRollbackWithNothingMovedIsDoneAtOnce(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	s.ExecuteWorkflow(RollbackType, MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, StateDone, s.result(t).State)
	require.Empty(t, s.called())
}
