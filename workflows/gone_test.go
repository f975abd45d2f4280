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
	"rocketshift/workflows/shift"
)

// gone plays a source whose broker-b is missing until it is back.
func (s *workflowEnvironment) gone(t *testing.T) (back *bool) {
	t.Helper()
	back = new(bool)
	s.OnActivity("Missing", anything,
		anything).Return(func(_ context.Context, r activities.BrokersRequest) ([]string, error) {
		require.Equal(t, []string{"broker-a", "broker-b"}, r.Brokers)
		if *back {
			return nil, nil
		}
		return []string{"broker-b"}, nil
	})
	s.OnActivity("Reopen", anything,
		anything).Return(func(ctx context.Context, r activities.BrokersRequest) ([]string, error) {
		require.Equal(t, []string{"broker-b"}, r.Brokers)
		if *back {
			s.note("Reopen " + r.Calm.String())
			return []string{"audit-group"}, nil
		}
		again := 30 * time.Second // of the first two minutes
		if activity.GetInfo(ctx).StartToCloseTimeout >= call.WaitTimeout {
			again = 20 * time.Minute // the test environment makes ten tries
		}
		return nil, temporal.NewApplicationErrorWithOptions("broker-b is missing", activities.NotReadyType,
			temporal.ApplicationErrorOptions{NextRetryDelay: again})
	})
	return back
}

func waitsForSource(now api.Status) bool {
	return slices.ContainsFunc(now.Waiting, func(w api.Waiting) bool { return w.Gate == api.SourceGate })
}

func TestABrokerThatIsMissingWhenAFenceIsUndoneIsOpenedWhenItIsBack(t *testing.T) {
	s := emptyTheatre(t)
	back := s.gone(t)
	tries := 0
	s.OnActivity("AwaitSettled", anything,
		anything).Return(func(context.Context, activities.GroupsRequest) error {
		if tries++; tries <= 10 {
			return notYet("members hold 3 messages")
		}
		return nil
	})
	fillMigration(s, map[string]stageFunc{api.ShiftType: shift.Shift})
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Equal(t, []string{"broker-b"}, now.Owed)
		require.True(t, waitsForSource(now), "%v", now.Waiting)
	}, 10*time.Minute)
	s.RegisterDelayedCallback(func() {
		require.NotContains(t, s.called(), "Reopen 1m0s")
		*back = true
	}, 3*time.Hour)
	s.RegisterDelayedCallback(func() {
		require.Contains(t, s.called(), "Reopen 1m0s", "moves may be under way")
		now := s.statusNow(t)
		require.Equal(t, api.StateHeld, now.State)
		require.Empty(t, now.Owed)
		require.False(t, waitsForSource(now), "%v", now.Waiting)
		require.Contains(t, strings.Join(now.Notes, "\n"), "groups audit-group are closed there alone, without a mark")
		s.update(api.ResumeName, api.Steering{By: "alice"})
	}, 4*time.Hour)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, oneStep)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

// missingInRollback plays a way back that finds groups open on the source, and broker-b missing.
func missingInRollback(t *testing.T) (s *workflowEnvironment, back *bool) {
	t.Helper()
	s = newTheatre(t)
	back = s.gone(t)
	s.OnActivity("Survey", anything,
		anything).Return(activities.Survey{OpenedGroups: api.Some("orders-group")}, nil)
	s.playTraffic()
	return s, back
}

func TestRollbackEndsWhenGroupsAreOpenOnABrokerThatWasMissing(t *testing.T) {
	s, back := missingInRollback(t)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, []string{"broker-b"}, now.Owed)
		require.True(t, waitsForSource(now), "%v", now.Waiting)
		*back = true
	}, 5*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, nil), Inventory: testInventory(),
	})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Empty(t, got.Owed)
	require.Contains(t, s.called(), "Reopen 0s", "every fence on it is left there")
	require.Contains(t, got.Notes[len(got.Notes)-1], "groups audit-group are closed there alone, without a mark")
}

func TestRollbackEndsWithoutABrokerThatIsLostIfAPersonSaysSo(t *testing.T) {
	s, _ := missingInRollback(t)
	var wrong, right *answered
	s.RegisterDelayedCallback(func() {
		wrong = s.update(api.ApproveName, api.Approval{Gate: api.LostGate, By: "alice"})
		right = s.update(api.ApproveName, api.Approval{Gate: api.LostBrokersGate, By: "alice"})
	}, 30*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, nil), Inventory: testInventory(),
	})
	require.Error(t, wrong.rejected, "the target isn't lost")
	require.NoError(t, right.rejected)
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{"broker-b"}, got.Owed, "the report says so")
	require.Contains(t, got.Notes[len(got.Notes)-1], "broker-b is lost")
}
