package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
)

// never is an answer that isn't another for as long as a test looks: the next try is far away.
func never(kind, text string, details ...any) error {
	return temporal.NewApplicationErrorWithOptions(text, kind,
		temporal.ApplicationErrorOptions{NextRetryDelay: 10 * time.Minute, Details: details})
}

// fencedUntil plays what is fenced on the source until it was opened there.
func (s *workflowEnvironment) fencedUntil(opened *time.Duration) {
	s.OnActivity("Survey", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Survey, error) {
		if *opened != 0 {
			return activities.Survey{}, nil
		}
		return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
	})
}

// requireWithinTheBudget asserts when the source was opened.
func requireWithinTheBudget(t *testing.T, after time.Duration) {
	t.Helper()
	require.NotZero(t, after, "the source was never opened")
	require.LessOrEqual(t, after, time.Minute+10*time.Second, "the fence budget is a minute")
}

func TestATargetThatDiesWhenItIsToBeFencedOpensTheSource(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	s.opened(&after)
	s.fencedUntil(&after)
	s.groupsStep("Fence", func(r activities.GroupsRequest) error {
		if r.Side == api.Target && after == 0 {
			return never(activities.TargetUnreachableType, "the target doesn't answer")
		}
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	requireWithinTheBudget(t, after)
}

func TestAFenceThatIsSetOnSomeBrokersOnlyIsOpenedWithinTheBudget(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	s.opened(&after)
	s.groupsStep("Fence", func(r activities.GroupsRequest) error {
		if r.Side == api.Source { // broker-a took it, broker-b doesn't answer
			return never(activities.SourceUnreachableType, "broker-b of the source doesn't answer")
		}
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	require.ErrorContains(t, s.GetWorkflowError(), "broker-b of the source doesn't answer")
	requireWithinTheBudget(t, after)
}

func TestATargetThatDiesUnderTheFenceOfARollbackOpensTheSourceWithinTheBudget(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	start := s.Now()
	s.fencedUntil(&after)
	s.OnActivity("AwaitSettled", anything, anything).Return(targetAway())
	s.groupsStep("Unfence", func(r activities.GroupsRequest) error {
		if r.Side == api.Target {
			return targetAway()
		}
		if after == 0 {
			after = max(s.Now().Sub(start), 1)
		}
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	requireWithinTheBudget(t, after)
}

func TestAReturnThatIsUndoneOnTheSourceAsksForItsApplications(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	s.OnActivity("Survey", anything,
		anything).Return(func(context.Context, activities.SurveyRequest) (activities.Survey, error) {
		group := api.Some("orders-group")
		if after != 0 { // its mark is there still
			return activities.Survey{OpenedGroups: group}, nil
		}
		return activities.Survey{FencedGroups: group}, nil
	})
	s.OnActivity("Translate", anything, anything).Return(nil, notYet("the worker was dead"))
	s.groupsStep("Unfence", func(r activities.GroupsRequest) error {
		if r.Side == api.Target { // it has died since
			return targetAway()
		}
		after = 1
		return nil
	})
	asked := false
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error {
		w := s.statusNow(t).Waiting
		asked = len(w) == 1 && w[0].Kind == api.WaitingRelease && w[0].To == api.Source
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, asked, "groups read the source, and their applications are on the target")
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestATargetThatRefusesTheKeysKeepsNobodyOffTheSource(t *testing.T) {
	s := newTheatre(t)
	var after time.Duration
	s.opened(&after)
	s.OnActivity("Survey", anything,
		anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey,
		error,
	) {
		switch {
		case after != 0:
			return activities.Survey{}, nil
		case r.SourceOnly:
			return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
		}
		return activities.Survey{}, never(activities.AccessDeniedType,
			"the target refuses the credentials", api.Target)
	})
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error {
		require.Contains(t, s.statusNow(t).Waiting[0].Text,
			"re-point all applications to the source now: the target refuses the credentials")
		return nil
	})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	requireWithinTheBudget(t, after)
}

// Groups would read again on the source what they have read on the target.
func TestAFaultOfTheSourceIsNoReasonToGoOnWithoutTheTarget(t *testing.T) {
	for name, fault := range map[string]error{
		"away":    never(activities.SourceUnreachableType, "the source doesn't answer"),
		"refuses": never(activities.AccessDeniedType, "the source refuses", api.Source),
		"unknown": never(activities.AccessDeniedType, "who knows who refuses"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			looks := 0
			s.OnActivity("Survey", anything,
				anything).Return(func(_ context.Context, r activities.SurveyRequest) (activities.Survey,
				error,
			) {
				if looks++; looks < 3 {
					return activities.Survey{}, fault
				}
				require.False(t, r.SourceOnly)
				return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
			})
			s.playTraffic()
			s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
			require.Equal(t, api.StateDone, s.result(t).State)
			requireOrder(t, s.called(), "Translate@target", "Unfence@source")
		})
	}
}

func TestATargetThatDiesInTheSoakIsSaid(t *testing.T) {
	s := newTheatre(t)
	dead := true
	s.OnActivity("CheckWave", anything,
		anything).Return(func(context.Context, activities.WaveRequest) (api.WaveCheck, error) {
		if dead {
			return api.WaveCheck{}, never(activities.TargetUnreachableType,
				"the target doesn't answer")
		}
		return api.WaveCheck{Measured: time.Unix(1, 0)}, nil
	})
	s.OnActivity("WatchTarget", anything,
		anything).Return(func(_ context.Context, r activities.WatchRequest) error {
		require.Equal(t, time.Minute, r.Away)
		if dead {
			return temporal.NewApplicationErrorWithOptions("the target doesn't answer",
				activities.AwayType, temporal.ApplicationErrorOptions{NonRetryable: true})
		}
		return nil
	}).After(time.Minute)
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error {
		if dead {
			return temporal.NewApplicationErrorWithOptions("the target doesn't answer",
				activities.TargetUnreachableType,
				temporal.ApplicationErrorOptions{NextRetryDelay: 5 * time.Minute})
		}
		return nil
	})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Contains(t, api.Details(s.statusNow(t)),
			"`rocketshift back orders-2026 --by YOU --reason WHY`")
		require.Contains(t, api.Details(s.statusNow(t)), "Groups that have moved get no messages")
		dead = false
	}, 12*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, api.Details(s.statusNow(t)), "get no messages", "it is back")
	}, 18*time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
}
