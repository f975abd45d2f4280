package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

func TestATimeOutAfterOnesOwnCancelIsAnEnd(t *testing.T) {
	late := temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT,
		errors.New("the worker is gone"))
	require.NoError(t, failure(late, true))
	require.Error(t, failure(late, false), "nobody asked it to end")
	require.NoError(t, failure(temporal.NewCanceledError(), false))
	require.Error(t, failure(temporal.NewNonRetryableApplicationError("lane broken", "Conflict",
		nil), true), "a fault is one whoever asked")
	require.NoError(t, failure(nil, false))
}

func TestCancelledActivitiesAreWaitedFor(t *testing.T) {
	s := emptyTheatre(t)
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		for _, ctx := range []workflow.Context{
			quick(ctx, ""), minutes(ctx, ""),
			within(ctx, time.Second, ""), long(ctx, plan.Plan{}.WithDefaults(), ""),
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
		free := workflow.GetActivityOptions(patient(ctx, ""))
		require.False(t, free.WaitForCancellation)
		require.Zero(t, free.HeartbeatTimeout, "a heartbeat is an action")
		require.Equal(t, waitTimeout, free.StartToCloseTimeout)
		require.Equal(t, free, workflow.GetActivityOptions(patientFor(ctx, 0, "")))
		fenced := workflow.GetActivityOptions(patientFor(ctx, time.Minute, ""))
		require.Equal(t, waitHeartbeat, fenced.HeartbeatTimeout)
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
	s.OnActivity("AwaitCaughtUp", anything, anything).Return(func(ctx context.Context, _ activities.Request) (activities.ReplicationState, error) {
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
		err = waitFor(ctx, 0, "lag", acts.AwaitCaughtUp, activities.Request{}).Get(ctx, &state)
		return state, err
	}, workflow.RegisterOptions{Name: "waits"})
	s.TestWorkflowEnvironment.ExecuteWorkflow("waits")
	require.NoError(t, s.GetWorkflowError())
	var state activities.ReplicationState
	require.NoError(t, s.GetWorkflowResult(&state))
	require.Equal(t, 16, state.Lanes, "the result is that of the one that succeeded")
	require.Equal(t, []time.Duration{quickHeartbeat, 0}, options)
}
