package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/moving"
)

func TestAssessWaitsForASourceThatIsDown(t *testing.T) {
	s := newTheatre(t)
	tries := 0
	s.OnActivity("Assess", anything, anything).Return(func(context.Context, activities.Request) (api.Inventory, error) {
		if tries++; tries < 4 {
			return api.Inventory{}, temporal.NewApplicationError(
				"name server 127.0.0.1:9876 refuses connections", "SourceUnreachable",
			)
		}
		return *testInventory(), nil
	})
	s.ExecuteWorkflow(api.AssessType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.Equal(t, 2, got.Inventory.Topics)
	require.Equal(t, int64(150), got.Inventory.Messages)
	require.Equal(t, 4, tries)
}

func TestAssessRefusesWithEveryReason(t *testing.T) {
	s := newTheatre(t)
	inventory := testAssessment()
	inventory.Findings = []api.Finding{
		{
			Refusal: true,
			Object:  "topics.include[0]",
			Cause:   "\"nothing*\" matches no topic",
			Next:    "correct the pattern",
		},
		{Object: "group g", Cause: "broadcasting", Next: "its positions stay with the clients"},
	}
	s.OnActivity("Assess", anything, anything).Return(api.Whole(inventory), nil)
	s.ExecuteWorkflow(api.AssessType, api.MigrationInput{Plan: testPlan(t, nil)})
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
		s.SignalWorkflow(api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	}, 90*time.Minute)
	s.ExecuteWorkflow(api.PurchaseType, api.MigrationInput{Plan: p})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestImportMetadataAppliesInChunksGroupsFirst(t *testing.T) {
	s := newTheatre(t)
	var topics []string
	for i := range 2450 {
		topics = append(topics, fmt.Sprintf("t%04d", i))
	}
	diff := api.MetadataDiff{
		CreateGroups: api.Some("g"), CreateTopics: api.Some(topics...), Same: 1,
		Warnings: api.Some(api.Finding{Object: "setting regionId", Cause: "is eu"}),
	}
	s.OnActivity("Diff", anything, anything).Return(diff, nil)
	var sizes [][2]int
	s.OnActivity("Apply", anything, anything).
		Return(func(_ context.Context, r activities.MetadataRequest) (activities.MetadataResult, error) {
			sizes = append(sizes, [2]int{r.Groups.Len(), r.Topics.Len()})
			return activities.MetadataResult{CreatedTopics: r.Topics.Len(), CreatedGroups: r.Groups.Len()}, nil
		})
	s.ExecuteWorkflow(api.ImportMetadataType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.Equal(t, "created 2450 topics, 1 groups; 1 were there; "+
		"1 warnings about brokers' settings, see status or the report", s.result(t).Detail)
	require.Equal(t, [][2]int{{1, 0}, {0, 1000}, {0, 1000}, {0, 450}}, sizes)
}

func TestImportMetadataTakesUsersAlongIfThePlanSaysSo(t *testing.T) {
	for _, with := range []bool{false, true} {
		s := newTheatre(t)
		s.OnActivity("Diff", anything, anything).Return(api.MetadataDiff{Same: 2}, nil)
		s.OnActivity("Apply", anything, anything).Return(activities.MetadataResult{}, nil)
		asked := 0
		s.OnActivity("ImportUsers", anything, anything).
			Return(func(context.Context, activities.Request) (api.UsersImport, error) {
				asked++
				return api.UsersImport{
					Users: 11, Brokers: 2, Written: 40, Findings: api.Some(api.Finding{Object: "user a", Cause: "no keys"}),
				}, nil
			})
		p := testPlan(t, func(p *plan.Plan) {
			if with {
				p.Target = plan.Target{
					Provider: plan.ProviderExisting, NameServers: []string{"127.0.0.1:1"},
					Credentials: &plan.Credentials{Env: "NEW"},
				}
				p.Users = &plan.Users{Conflicts: plan.DecisionKeep}
			}
		})
		s.ExecuteWorkflow(api.ImportMetadataType, api.MigrationInput{Plan: p, Inventory: testInventory()})
		detail := s.result(t).Detail
		if !with {
			require.Zero(t, asked)
			require.NotContains(t, detail, "users")
			continue
		}
		require.Equal(t, 1, asked)
		require.Contains(t, detail, "; 11 users on 2 brokers, 0 rights differ, 1 findings about users, see the report")
	}
}

func TestImportMetadataChangesWhatThePlanDecides(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Diff", anything, anything).Return(api.MetadataDiff{
		CreateTopics: api.Some("a"), ChangeTopics: api.Some("b"), ChangeGroups: api.Some("g"), KV: 1,
		Kept: api.Some(api.Finding{Object: "topic c", Cause: "has 2 queues: it is kept"}),
	}, nil)
	var parts []string
	s.OnActivity("Apply", anything, anything).
		Return(func(_ context.Context, r activities.MetadataRequest) (activities.MetadataResult, error) {
			parts = append(parts, fmt.Sprint(r.Groups, r.Topics, r.KV))
			return activities.MetadataResult{ChangedGroups: r.Groups.Len(), ChangedTopics: r.Topics.Len()}, nil
		})
	s.ExecuteWorkflow(api.ImportMetadataType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	all := fmt.Sprint(testInventory().Topics())
	require.Equal(t, []string{"[g] [] false", "[] [a] false", "[] [b] false", "[] " + all + " true"}, parts,
		"the keys last: order configurations name queues that are there then")
	require.Contains(t, s.result(t).Detail, "1 differ and are kept, as the plan decides")
}

// The store may lose a document between two activities: nobody brings it back.
func TestImportMetadataMeasuresAnewWhatTheStoreHasLost(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Assess", anything, anything).Return(*testInventory(), nil)
	s.OnActivity("Diff", anything, anything).Return(api.MetadataDiff{CreateTopics: api.Some("a")}, nil)
	tries := 0
	s.OnActivity("Apply", anything, anything).
		Return(func(context.Context, activities.MetadataRequest) (activities.MetadataResult, error) {
			if tries++; tries <= 2 {
				return activities.MetadataResult{}, temporal.NewApplicationError("document a/1 isn't in the store",
					activities.DocumentMissingType)
			}
			return activities.MetadataResult{CreatedTopics: 1}, nil
		})
	s.ExecuteWorkflow(api.ImportMetadataType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.Equal(t, 3, tries)
	result := s.result(t)
	require.Contains(t, result.Detail, "created 1 topics")
	require.Contains(t, result.Notes[0], "measured anew: document a/1 isn't in the store")
}

func TestImportMetadataChangesNothingOnAConflict(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Diff", anything, anything).Return(api.MetadataDiff{
		CreateTopics: api.Some("a"),
		Conflicts: api.Some(
			api.Finding{
				Object: "topic orders",
				Cause:  "has 2 queues on the target, the source has 8",
				Next:   "delete it",
			},
		),
	}, nil)
	s.ExecuteWorkflow(api.ImportMetadataType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "topic orders: has 2 queues on the target")
}

func TestVerifyFailsOnADifferenceAndCountsIt(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Verify", anything, anything).
		Return(api.Verification{Lanes: 8, Compared: 10, Missing: 1, Examples: []string{"orders q3 offset 7"}}, nil)
	s.ExecuteWorkflow(api.VerifyType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "1 missing")
	require.ErrorContains(t, s.GetWorkflowError(), "orders q3 offset 7")
}

func TestReplicateRunsOneActivityForEachBrokerUntilStop(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.once(&requests, 2, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.Equal(t, "stopped", s.result(t).Detail)
	require.Len(t, requests, 2)
	require.ElementsMatch(t, []string{"broker-a", "broker-b"}, []string{requests[0].Broker, requests[1].Broker})
}

func TestReplicateFailsWhenALaneActivityFailsForGood(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Replicate", anything, anything).Return(api.ReplicationProgress{},
		temporal.NewNonRetryableApplicationError("topic orders: 8 queues on the source, 2 on the target", "Conflict", nil),
	)
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "2 on the target")
}

func TestSyncOffsetsRunsUntilStop(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Sync", anything, anything).
		Return(func(ctx context.Context, _ activities.Request) (api.SyncProgress, error) {
			s.note("Sync")
			s.SignalWorkflow(api.StopName, struct{}{})
			<-ctx.Done()
			return api.SyncProgress{}, ctx.Err()
		})
	s.ExecuteWorkflow(api.SyncOffsetsType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, []string{"Sync"}, s.called())
}

func TestFinalizeEndsAtZero(t *testing.T) {
	s := newTheatre(t)
	rest := int64(3)
	s.OnActivity("Ledger", anything, anything).Return(func(context.Context, activities.Request) (api.Ledger, error) {
		rest--
		return api.Ledger{
			Rest: rest,
			Rows: api.Some(api.LedgerRow{Kind: "retry", Object: "orders-group", Rest: rest}),
		}, nil
	})
	s.ExecuteWorkflow(api.FinalizeType, api.MigrationInput{Plan: testPlan(t, nil)})
	got := s.result(t)
	require.NotNil(t, got.PointOfNoReturn)
	require.Zero(t, got.Ledger.Rest)
}

func TestFinalizeAcceptsARestThatAnApprovalNames(t *testing.T) {
	s := newTheatre(t)
	ledger := api.Ledger{Rest: 2, Rows: api.Some(api.LedgerRow{Kind: "retry", Object: "orders-group", Rest: 2})}
	s.OnActivity("Ledger", anything, anything).Return(ledger, nil)
	var old *answered
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting[0]
		require.Contains(t, w.Text, "retry orders-group 2")
		old = s.update(api.ApproveName, api.Approval{Gate: "finalize", By: "alice", Evidence: "000000000000"})
		s.update(api.ApproveName, api.Approval{Gate: "finalize", By: "alice", Evidence: w.Evidence})
	}, time.Minute)
	s.ExecuteWorkflow(api.FinalizeType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, int64(2), s.result(t).Ledger.Rest)
	require.ErrorContains(t, old.rejected, "is shown now")
}

func TestRollbackReturnsProducersBeforeGroups(t *testing.T) {
	inventory := api.Whole(api.Assessment{Topics: []api.Topic{{Name: "orders", Ordered: true}, {Name: "audit"}}})
	for free, in := range map[string]api.MigrationInput{
		"[]":      {Plan: testPlan(t, nil)}, // nobody knows whose order matters
		"[audit]": {Plan: testPlan(t, nil), Inventory: &inventory},
	} {
		s := newTheatre(t)
		s.OnActivity("Survey", anything, anything).
			Return(activities.Survey{FencedGroups: api.Some("orders-group"), MovedTopics: api.Some("orders")}, nil)
		s.playTraffic()
		s.ExecuteWorkflow(api.RollbackType, in)
		require.Equal(t, api.StateDone, s.result(t).State)
		const producers = "AwaitQuiet orders@target"
		called := s.called()
		require.Equal(t, producers, called[0])
		// Producers that were on their way are asked for beside the groups.
		groups := lists.Without(called, []string{producers})
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
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	left := api.Ledger{
		Rest: 3,
		Rows: api.Some(api.LedgerRow{Kind: "delayed", Object: "broker broker-a level 18", Rest: 3}),
	}
	s.OnActivity("Pending", anything, anything).Return(left, nil)
	s.OnActivity("AwaitPending", anything,
		anything).Return(notYet("3 are still to come from the target"))
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting[0]
		require.Contains(t, w.Text, "delayed broker broker-a level 18 3")
		s.update(api.ApproveName, api.Approval{Gate: api.LeaveGate, By: "alice", Evidence: w.Evidence})
	}, moving.CallBackTime+time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, int64(3), s.result(t).Ledger.Rest)
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestRollbackWithNothingMovedIsDoneAtOnce(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).Return(activities.Survey{}, nil)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Empty(t, s.called())
}
