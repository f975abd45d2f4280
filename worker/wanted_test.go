package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// deniedServer lets nobody look at workflows.
type deniedServer struct{ *fakeServer }

func (deniedServer) Pending(
	context.Context, workflow.Execution,
) ([]*workflowpb.PendingActivityInfo, error) {
	return nil, serviceerror.NewPermissionDenied("no", "")
}

func TestAnActivityIsWantedUntilTheServerSaysThatItIsNot(t *testing.T) {
	env := newSuite().NewTestActivityEnvironment()
	ask := func(s server) (err error) {
		env.RegisterActivityWithOptions(func(ctx context.Context) error {
			if fake, is := s.(*fakeServer); is && fake.state != nil {
				fake.state.ActivityId = activity.GetInfo(ctx).ActivityID
			}
			err = stillWanted(s)(ctx)
			return nil
		}, activity.RegisterOptions{Name: "act", DisableAlreadyRegisteredCheck: true})
		_, failed := env.ExecuteActivity("act")
		require.NoError(t, failed)
		return err
	}
	runs := &workflowpb.PendingActivityInfo{
		Attempt: 1, State: enumspb.PENDING_ACTIVITY_STATE_STARTED,
	}
	cancelled := &workflowpb.PendingActivityInfo{
		Attempt: 1, State: enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
	}
	require.NoError(t, ask(&fakeServer{state: runs}))
	require.ErrorIs(t, ask(&fakeServer{state: cancelled}), activities.ErrUnwanted)
	require.ErrorIs(t, ask(&fakeServer{away: true}), activities.ErrUnwanted)
	require.NoError(t, ask(deniedServer{&fakeServer{}}), "heartbeats have to do")
	unknown := ask(&fakeServer{})
	require.ErrorContains(t, unknown, "the server is away")
	require.NotErrorIs(t, unknown, activities.ErrUnwanted)
}
