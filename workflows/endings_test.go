package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
	"rocketshift/workflows/call"
)

func TestCancelledActivitiesAreWaitedFor(t *testing.T) {
	s := emptyTheatre(t)
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		for _, ctx := range []workflow.Context{
			call.Quick(ctx, ""), call.Minutes(ctx, ""),
			call.Within(ctx, time.Second, ""), call.Lanes(ctx, plan.Plan{}.WithDefaults(), ""),
		} {
			require.True(t, workflow.GetActivityOptions(ctx).WaitForCancellation)
		}
		return nil
	}, workflow.RegisterOptions{Name: "options"})
	s.TestWorkflowEnvironment.ExecuteWorkflow("options")
	require.NoError(t, s.GetWorkflowError())
}

// A wait for others only looks: `back` doesn't wait for the worker that did, which may be dead.
func TestCancelledWaitsForOthersAreNotWaitedFor(t *testing.T) {
	s := emptyTheatre(t)
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		free := workflow.GetActivityOptions(call.Patient(ctx, ""))
		require.False(t, free.WaitForCancellation)
		require.Zero(t, free.HeartbeatTimeout, "a heartbeat is an action")
		require.Equal(t, call.WaitTimeout, free.StartToCloseTimeout)
		require.Equal(t, free, workflow.GetActivityOptions(call.PatientFor(ctx, 0, "")))
		fenced := workflow.GetActivityOptions(call.PatientFor(ctx, time.Minute, ""))
		require.Equal(t, call.WaitHeartbeat, fenced.HeartbeatTimeout)
		require.False(t, fenced.WaitForCancellation)
		return nil
	}, workflow.RegisterOptions{Name: "options"})
	s.TestWorkflowEnvironment.ExecuteWorkflow("options")
	require.NoError(t, s.GetWorkflowError())
}

// A lost task, or a dead worker, is noticed within seconds while a wait is young; later it costs
// little.
func TestAWaitIsWatchedCloselyAtFirst(t *testing.T) {
	s := newTheatre(t)
	var options []time.Duration
	s.OnActivity("AwaitCaughtUp", anything, anything).
		Return(func(ctx context.Context, _ activities.Request) (activities.ReplicationState, error) {
			beat := activity.GetInfo(ctx).HeartbeatTimeout
			if len(options) == 0 || options[len(options)-1] != beat {
				options = append(options, beat)
			}
			if beat > 0 {
				return activities.ReplicationState{}, notYet("16 lanes are behind")
			}
			return activities.ReplicationState{Lanes: 16}, nil
		})
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context) (state activities.ReplicationState, err error) {
		var acts *activities.Replication
		err = call.WaitFor(ctx, 0, "lag", acts.AwaitCaughtUp, activities.Request{}).Get(ctx, &state)
		return state, err
	}, workflow.RegisterOptions{Name: "waits"})
	s.TestWorkflowEnvironment.ExecuteWorkflow("waits")
	require.NoError(t, s.GetWorkflowError())
	var state activities.ReplicationState
	require.NoError(t, s.GetWorkflowResult(&state))
	require.Equal(t, 16, state.Lanes, "the result is that of the one that succeeded")
	require.Equal(t, []time.Duration{call.QuickHeartbeat, 0}, options)
}

// fencedWait runs a wait while groups are fenced, and notes when it was tried, with which
// heartbeat.
func fencedWait(t *testing.T, look func(s *workflowEnvironment, after, beat time.Duration) error) *workflowEnvironment {
	t.Helper()
	s := newTheatre(t)
	begun := s.Now()
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(ctx context.Context, _ activities.Request) error {
		return look(s, s.Now().Sub(begun), activity.GetInfo(ctx).HeartbeatTimeout)
	})
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		var acts *activities.Returns
		return call.WaitFor(ctx, time.Minute, "members", acts.AwaitTarget, activities.Request{}).Get(ctx, nil)
	}, workflow.RegisterOptions{Name: "waits"})
	s.TestWorkflowEnvironment.ExecuteWorkflow("waits")
	return s
}

func TestAnOldWaitBeatsNoMoreThoughGroupsAreFenced(t *testing.T) {
	s := fencedWait(t, func(s *workflowEnvironment, after, beat time.Duration) error {
		if after > 10*time.Hour {
			s.note("over")
			return nil
		}
		if beat > 0 {
			require.Equal(t, call.WaitHeartbeat, beat)
			require.LessOrEqual(t, after, call.OldAfter+2*time.Minute)
			return againIn(15 * time.Minute)
		}
		require.GreaterOrEqual(t, after, call.OldAfter)
		return againIn(2 * time.Hour)
	})
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, []string{"over"}, s.called())
}

// An attempt that began when the wait got old would count the time without the target from then.
func TestATargetThatDiesWhenAWaitGetsOldHasNotMoreThanItsPatience(t *testing.T) {
	s := fencedWait(t, func(s *workflowEnvironment, after, beat time.Duration) error {
		if beat > 0 && after >= call.OldAfter {
			s.note("away " + after.String())
			return stayedAway()
		}
		return againIn(call.OldAfter/2 + 20*time.Second)
	})
	require.True(t, call.IsAway(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	require.Equal(t, []string{"away 1h0m40s"}, s.called())
}
