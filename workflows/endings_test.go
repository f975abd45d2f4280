package workflows

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

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
