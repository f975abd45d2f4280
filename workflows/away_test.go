package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
)

// testDelay is so long that the fence budget ends before the ten tries that Temporal's test
// environment makes.
const testDelay = 8 * time.Second

// targetAway is what activities say while the target doesn't answer.
func targetAway() error {
	return temporal.NewApplicationErrorWithOptions("the target at 10.0.0.1:9876 doesn't answer",
		activities.TargetUnreachableType,
		temporal.ApplicationErrorOptions{NextRetryDelay: testDelay})
}

// stayedAway is what an activity says that waits under a fence.
func stayedAway() error {
	return temporal.NewNonRetryableApplicationError("the target at 10.0.0.1:9876 doesn't answer",
		activities.AwayType, nil)
}

func notYet(text string) error {
	return temporal.NewApplicationErrorWithOptions(text, "NotReady",
		temporal.ApplicationErrorOptions{NextRetryDelay: testDelay})
}

// opened is when groups were opened on the source, from the start of the workflow.
func (s *workflowEnvironment) opened(at *time.Duration) {
	start := s.Now()
	s.OnActivity("Unfence", anything,
		anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		s.note("Unfence@" + string(r.Side))
		if r.Side == api.Source && *at == 0 {
			*at = max(s.Now().Sub(start), 1) // 0 says that they weren't
		}
		return nil
	})
}

func TestTheUndoOfAFenceOpensTheSourceWithADeadTarget(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	s.opened(&after)
	s.OnActivity("Translate", anything, anything).Return(nil, targetAway())
	s.OnActivity("Fence", anything,
		anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		s.note("Fence@" + string(r.Side))
		if r.Side == api.Target {
			return targetAway()
		}
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan:      testPlan(t, oneStep),
		Inventory: testInventory(),
	})
	require.ErrorContains(t, s.GetWorkflowError(), "10.0.0.1:9876 doesn't answer")
	require.Less(t, slices.Index(s.called(), "Unfence@source"),
		slices.Index(s.called(), "Fence@target"))
	require.NotZero(t, after)
	require.LessOrEqual(t, after, time.Minute+10*time.Second, "the fence budget is a minute")
	require.Contains(t, strings.Join(s.statusNow(t).Notes, "\n"), "owed to the target")
}

func TestATargetThatDiesWhileApplicationsMoveOpensTheSource(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("AwaitMembers", anything, anything).Return(nil, stayedAway())
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan:      testPlan(t, oneStep),
		Inventory: testInventory(),
	})
	require.ErrorContains(t, s.GetWorkflowError(), "doesn't answer")
	require.Contains(t, s.called(), "Unfence@source")
}

func TestAMoveThatNeverSettlesIsOpenedWhereItWasWithinTheBudget(t *testing.T) {
	for _, activity := range []string{"AwaitSettled", "Translate"} {
		t.Run(activity, func(t *testing.T) {
			s := newTheatre(t)
			var after time.Duration
			s.opened(&after)
			if activity == "Translate" {
				s.OnActivity(activity, anything, anything).Return(nil,
					notYet("lane orders/3 isn't copied yet"))
			} else {
				s.OnActivity(activity, anything, anything).Return(notYet("members hold 3 messages"))
			}
			s.playTraffic()
			s.ExecuteWorkflow(api.ShiftType,
				api.MigrationInput{Plan: testPlan(t, oneStep), Inventory: testInventory()})
			require.ErrorContains(t, s.GetWorkflowError(),
				"not done within the fence budget of 1m0s")
			require.NotZero(t, after)
			require.LessOrEqual(t, after, time.Minute+10*time.Second)
		})
	}
}

func TestRollbackOpensTheSourceWithADeadTargetAndDoesTheRestWhenItIsBack(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	back := false
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey,
		error,
	) {
		require.True(t, r.ByMark)
		switch {
		case after != 0:
			return activities.Survey{
				OpenedGroups: api.Some("orders-group"),
				MovedTopics:  api.Some("orders"),
			}, nil
		case r.SourceOnly:
			return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
		}
		require.Equal(t, time.Minute, r.Away)
		return activities.Survey{}, stayedAway()
	})
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error {
		if !back {
			return targetAway()
		}
		return nil
	})
	s.opened(&after)
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Contains(t, s.called(), "Unfence@source",
			"the source is opened though the target is dead")
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Contains(t, w[0].Text,
			"re-point all applications to the source now: the target doesn't answer. Owed to it")
		require.Equal(t, api.Source, w[0].To)
		require.Equal(t, []string{"orders-group"}, w[0].Groups.First())
		require.Equal(t, testInventory().Topics().First(), w[0].Topics.First(),
			"producers may be on the target too")
		back = true
	}, time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, nil), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.LessOrEqual(t, after, time.Minute+10*time.Second)
	requireOrder(t, s.called(), "Unfence@source", "AwaitQuiet orders@target", "Fence@target",
		"AwaitMembers@target", "Pending")
	require.NotContains(t, s.called(), "Translate@target",
		"groups read the source already: their positions are theirs")
}

// stillAway is what AwaitTarget says while the target doesn't answer.
func stillAway(ctx context.Context) error {
	again := 30 * time.Second // of the first two minutes
	if activity.GetInfo(ctx).StartToCloseTimeout == call.WaitTimeout {
		again = 20 * time.Minute // the test environment makes ten tries
	}
	return temporal.NewApplicationErrorWithOptions("the target doesn't answer",
		activities.TargetUnreachableType,
		temporal.ApplicationErrorOptions{NextRetryDelay: again})
}

// lostTarget never answers again.
func (s *workflowEnvironment) lostTarget() {
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(ctx context.Context, _ activities.Request) error { return stillAway(ctx) })
}

// approveLost says after a while that the target is gone for good.
func (s *workflowEnvironment) approveLost(t *testing.T) {
	asked := func() (w api.Waiting, ok bool) {
		i := slices.IndexFunc(s.statusNow(t).Waiting, func(w api.Waiting) bool { return w.Gate == api.LostGate })
		if i < 0 {
			return w, false
		}
		return s.statusNow(t).Waiting[i], true
	}
	s.RegisterDelayedCallback(func() {
		_, ok := asked()
		require.False(t, ok, "an outage of minutes asks nobody to give the target up")
	}, 5*time.Minute)
	s.RegisterDelayedCallback(func() {
		w, ok := asked()
		require.True(t, ok)
		require.Contains(t, w.Text, "only if it is gone for good")
		s.update(api.ApproveName, api.Approval{Gate: api.LostGate, By: "alice", Evidence: w.Evidence})
	}, 30*time.Minute)
}

func TestAWayBackWithoutATargetThatIsGoneForGoodEndsIfAPersonSaysSo(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey,
		error,
	) {
		switch {
		case !r.SourceOnly:
			return activities.Survey{}, stayedAway()
		case after == 0:
			return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
		}
		return activities.Survey{OpenedGroups: api.Some("orders-group")}, nil
	})
	s.lostTarget()
	s.opened(&after)
	s.OnActivity("Forget", anything,
		anything).Return(func(context.Context, activities.GroupsRequest) error {
		s.note("Forget")
		return nil
	})
	s.playTraffic()
	s.approveLost(t)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	result := s.result(t)
	require.Equal(t, api.StateDone, result.State)
	require.Contains(t, strings.Join(result.Notes, "\n"), "the target is lost")
	require.Equal(t, []string{"Unfence@source", "Forget"}, s.called())
}

func TestWhatIsStillToComeFromALostTargetEndsTheWayBackIfAPersonSaysSo(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey,
		error,
	) {
		if r.SourceOnly {
			return activities.Survey{}, nil
		}
		return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
	})
	s.OnActivity("Pending", anything, anything).Return(api.Ledger{}, stayedAway())
	s.lostTarget()
	s.playTraffic()
	s.approveLost(t)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestRollbackOpensTheSourceWhenTheTargetDiesBeforeProducersHaveReturned(t *testing.T) {
	s := newTheatre(t)
	open := false
	s.OnActivity("Survey", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Survey,
		error,
	) {
		if open {
			return activities.Survey{OpenedGroups: api.Some("orders-group")}, nil
		}
		return activities.Survey{
			FencedGroups: api.Some("orders-group"),
			MovedTopics:  api.Some("orders"),
		}, nil
	})
	s.OnActivity("AwaitQuiet", anything,
		anything).Return(func(_ context.Context, r activities.AwaitMoveRequest) error {
		require.Equal(t, time.Minute, r.Away, "groups are fenced on the source meanwhile")
		return stayedAway()
	})
	s.OnActivity("Unfence", anything,
		anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		s.note("Unfence@" + string(r.Side))
		open = true
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Contains(t, s.called(), "Unfence@source")
}

func TestARollbackThatIsCancelledBeforePositionsAreWrittenOpensTheTargetAgain(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).Return(
		activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	s.OnActivity("AwaitSettled", anything, anything).Return(notYet("members hold 3 messages"))
	s.playTraffic()
	s.RegisterDelayedCallback(s.CancelWorkflow, 20*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	requireOrder(t, s.called(), "Fence@target", "Unfence@target")
	require.NotContains(t, s.called(), "Unfence@source")
}

func TestARollbackThatIsCancelledAfterwardsLiftsTheFenceOnTheSource(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).Return(
		activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	tries := 0
	s.groupsStep("Unfence", func(activities.GroupsRequest) error {
		if tries++; tries == 1 {
			s.RegisterDelayedCallback(s.CancelWorkflow, time.Second)
			return notYet("broker-a is slow")
		}
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	requireOrder(t, s.called(), "Fence@target", "Translate@target", "Unfence@source", "Unfence@source")
	require.Equal(t, 2, tries)
}

func TestGroupsThatOthersClosedStayClosed(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("ClosedByOthers", anything, anything).Return([]string{"audit-group"}, nil)
	groups := map[string][]string{}
	for _, name := range []string{"Fence", "Unfence", "AwaitSettled"} {
		s.groupsStep(name, func(r activities.GroupsRequest) error {
			groups[name+"@"+string(r.Side)] = r.Groups.First()
			return nil
		})
	}
	s.OnActivity("Translate", anything,
		anything).Return(func(_ context.Context,
		r activities.GroupsRequest,
	) ([]activities.GroupPositions, error) {
		groups["Translate"] = r.Groups.First()
		return nil, nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan:      testPlan(t, oneStep),
		Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	moved := []string{"orders-group", "payments-group"}
	require.Equal(t, moved, groups["Fence@source"])
	require.Equal(t, moved, groups["Unfence@target"])
	require.Equal(t, append([]string{"audit-group"}, moved...), groups["Translate"],
		"its positions are carried over all the same")
}

func TestRollbackByGatewayNeedsNoTargetToBringEverythingBack(t *testing.T) {
	s := newTheatre(t)
	back := false
	s.OnActivity("Prepare", anything, anything).Return(activities.Gateway{}, targetAway())
	s.OnActivity("Pending", anything,
		anything).Return(func(context.Context, activities.Request) (api.Ledger, error) {
		if !back {
			return api.Ledger{}, targetAway()
		}
		return api.Ledger{}, nil
	})
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error {
		if !back {
			return targetAway()
		}
		return nil
	})
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{
			"MoveAuthority@source", "MoveHomes all 0",
			"MoveGroups all@source",
		}, s.called())
		require.Contains(t, s.statusNow(t).Waiting[0].Text,
			"the target doesn't answer: everything reads and writes the source")
		back = true
	}, 150*time.Second)
	s.ExecuteWorkflow(api.RollbackType,
		api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
}
