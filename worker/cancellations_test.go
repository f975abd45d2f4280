package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

// fakeServer shows an activity in a state, and hears what is told.
type fakeServer struct {
	mu     sync.Mutex
	state  *workflowpb.PendingActivityInfo // nil while nothing can be seen
	away   bool                            // it is seen that there is no such activity
	env    *testsuite.TestWorkflowEnvironment
	told   int
	looked int
}

func (s *fakeServer) Pending(context.Context, workflow.Execution) ([]*workflowpb.PendingActivityInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked++
	switch {
	case s.away:
		return nil, nil
	case s.state == nil:
		return nil, errors.New("the server is away")
	}
	return []*workflowpb.PendingActivityInfo{s.state}, nil
}

func (s *fakeServer) Cancelled(_ context.Context, token []byte, with any) error {
	return s.env.CompleteActivity(token, nil, temporal.NewCanceledError(with))
}

func (s *fakeServer) Beat(context.Context, []byte, ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told++
	return nil
}

// underWatch runs an activity that lasts until its context ends, and returns how it ended.
func underWatch(t *testing.T, s *fakeServer, act any) error {
	t.Helper()
	s.env = newSuite().NewTestWorkflowEnvironment()
	s.env.SetTestTimeout(patience)
	s.env.SetWorkerOptions(
		worker.Options{
			Interceptors: []interceptor.WorkerInterceptor{
				&cancellationWatcher{server: s, which: hasHeartbeat, pause: 10 * time.Millisecond},
			},
		},
	)
	s.env.RegisterActivityWithOptions(act, activity.RegisterOptions{Name: "act"})
	s.env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: time.Hour, HeartbeatTimeout: time.Hour, ActivityID: "lanes",
			RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
		return workflow.ExecuteActivity(ctx, "act").Get(ctx, nil)
	})
	return s.env.GetWorkflowError()
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestACancelledActivityEndsSoonAndCountsAsCancelled(t *testing.T) {
	s := &fakeServer{
		state: &workflowpb.PendingActivityInfo{
			ActivityId: "lanes",
			Attempt:    1,
			State:      enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
		},
	}
	err := underWatch(t, s, untilDone)
	require.True(t, temporal.IsCanceledError(errors.Unwrap(err)), "ended by: %v", err)
}

func TestACancelledActivityTellsWithWhatItEnded(t *testing.T) {
	s := &fakeServer{state: &workflowpb.PendingActivityInfo{
		ActivityId: "lanes", Attempt: 1,
		State: enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
	}}
	err := underWatch(t, s, func(ctx context.Context) (int, error) { return 42, untilDone(ctx) })
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, err, &cancelled)
	var with int
	require.NoError(t, cancelled.Details(&with))
	require.Equal(t, 42, with)
}

func TestAPausedActivityEndsAsOneThatMayBeTriedAgain(t *testing.T) {
	s := &fakeServer{state: &workflowpb.PendingActivityInfo{ActivityId: "lanes", Attempt: 1, Paused: true}}
	var cause error
	err := underWatch(t, s, func(ctx context.Context) error {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return ctx.Err()
	})
	require.ErrorIs(t, cause, activity.ErrActivityPaused)
	var failed *temporal.ApplicationError
	require.ErrorAs(t, err, &failed)
	require.False(t, failed.NonRetryable())
	require.ErrorContains(t, err, "unpause")
}

func TestAnAttemptThatTheServerGaveUpEnds(t *testing.T) {
	for name, s := range map[string]*fakeServer{
		"another attempt runs": {state: &workflowpb.PendingActivityInfo{ActivityId: "lanes", Attempt: 2}},
		"the workflow is gone": {away: true},
	} {
		require.Error(t, underWatch(t, s, untilDone), name)
	}
}

func TestAnActivityRunsOnWhileTheServerIsAway(t *testing.T) {
	s := &fakeServer{}
	require.NoError(t, underWatch(t, s, func(ctx context.Context) error {
		for {
			s.mu.Lock()
			looked := s.looked
			s.mu.Unlock()
			if looked > 5 {
				return ctx.Err()
			}
			if err := waitFor(ctx, time.Millisecond); err != nil {
				return err
			}
		}
	}))
}

func TestALookFromBeforeTheAttemptEndsNothing(t *testing.T) {
	seen := []*workflowpb.PendingActivityInfo{
		{ActivityId: "other", Attempt: 7},
		{ActivityId: "lanes", Attempt: 1, Paused: true},
	}
	assert.NoError(t, endCause(seen, activity.Info{ActivityID: "lanes", Attempt: 2}))
}

func TestAWorkflowIsLookedAtOnceForAllItsActivities(t *testing.T) {
	var l looks
	n := 0
	for range 3 {
		_, _ = l.at(workflow.Execution{ID: "a"}, time.Minute,
			func() ([]*workflowpb.PendingActivityInfo, error) { n++; return nil, nil })
	}
	_, _ = l.at(workflow.Execution{ID: "b"}, time.Minute,
		func() ([]*workflowpb.PendingActivityInfo, error) { n++; return nil, nil })
	require.Equal(t, 2, n)
}

func TestWhatCantWaitIsToldAtOnceAndOnce(t *testing.T) {
	s := &fakeServer{}
	require.NoError(t, underWatch(t, s, func(ctx context.Context) error {
		running := api.ReplicationProgress{Progress: lane.Progress{Lanes: 4, Lag: 10}}
		activity.RecordHeartbeat(ctx, api.ReplicationProgress{}) // the first one of an attempt is sent anyway
		for lag := range 5 {
			running.Lag = int64(lag)
			activity.RecordHeartbeat(ctx, running)
		}
		running.Faults = []lane.Fault{{Topic: "orders"}}
		activity.RecordHeartbeat(ctx, running)
		activity.RecordHeartbeat(ctx, running)
		return nil
	}))
	require.Equal(t, 2, s.told, "lanes that run, and the fault")
}

func TestUrgentHeartbeatsDontFollowEachOther(t *testing.T) {
	s := &fakeServer{}
	l := &urgentListener{watch: &cancellationWatcher{server: s, urgentPause: time.Hour}}
	l.Next = &interceptor.ActivityOutboundInterceptorBase{Next: deaf{}}
	env := newSuite().NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		for faults := range 10 {
			l.RecordHeartbeat(ctx, api.ReplicationProgress{Progress: lane.Progress{Faults: make([]lane.Fault, faults)}})
		}
		return nil
	}, activity.RegisterOptions{Name: "act"})
	_, err := env.ExecuteActivity("act")
	require.NoError(t, err)
	require.Equal(t, 1, s.told)
}

// deaf hears heartbeats and does nothing.
type deaf struct {
	interceptor.ActivityOutboundInterceptor
}

func (deaf) RecordHeartbeat(context.Context, ...any) {}
