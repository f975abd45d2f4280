package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const testHeartbeat = 30 * time.Second

// newSuite is Temporal's test suite without its log.
func newSuite() *testsuite.WorkflowTestSuite {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(discardLogger()))
	return &suite
}

// heard runs an activity whose heartbeats are sent for it, and returns the details of all of them.
// Its clock moves only while all wait.
func heard(t *testing.T, timeout time.Duration, act func(context.Context) error) (beats []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { beats = heardInTime(t, timeout, act) })
	return beats
}

func heardInTime(t *testing.T, timeout time.Duration, act func(context.Context) error) []string {
	t.Helper()
	suite := newSuite()
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Hour)
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&heartbeats{}}})
	env.RegisterActivityWithOptions(act, activity.RegisterOptions{Name: "act"})
	var mu sync.Mutex
	var beats []string
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		mu.Lock()
		defer mu.Unlock()
		var text string
		if details.HasValues() {
			require.NoError(t, details.Get(&text))
		}
		beats = append(beats, text)
	})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx,
			workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: timeout})
		return workflow.ExecuteActivity(ctx, "act").Get(ctx, nil)
	})
	require.NoError(t, env.GetWorkflowError())
	mu.Lock()
	defer mu.Unlock()
	return beats
}

func TestAnActivityThatSaysNothingBeatsAllTheSame(t *testing.T) {
	beats := heard(t, testHeartbeat, func(ctx context.Context) error {
		return waitFor(ctx, 4*testHeartbeat)
	})
	require.NotEmpty(t, beats)
	require.Empty(t, beats[0], "there is nothing to tell")
}

func TestBeatsRepeatTheLastDetails(t *testing.T) {
	beats := heard(t, testHeartbeat, func(ctx context.Context) error {
		activity.RecordHeartbeat(ctx, "halfway")
		return waitFor(ctx, 4*testHeartbeat)
	})
	require.Greater(t, len(beats), 1)
	for _, b := range beats {
		require.Equal(t, "halfway", b)
	}
}

func TestAnActivityWithoutHeartbeatTimeoutIsLeftAlone(t *testing.T) {
	require.Empty(t, heard(t, 0, func(ctx context.Context) error { return waitFor(ctx, 2*testHeartbeat) }))
}

func TestDetailsOfTheAttemptBeforeAreKept(t *testing.T) {
	suite := newSuite()
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&heartbeats{}}})
	env.SetHeartbeatDetails("page 7")
	var first string
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		return activity.GetHeartbeatDetails(ctx, &first)
	}, activity.RegisterOptions{Name: "act"})
	_, err := env.ExecuteActivity("act")
	require.NoError(t, err)
	require.Equal(t, "page 7", first, "the activity still sees them")

	b := &attemptHeartbeats{}
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		b.resume(ctx)
		return nil
	}, activity.RegisterOptions{Name: "resume"})
	_, err = env.ExecuteActivity("resume")
	require.NoError(t, err)
	require.Len(t, b.last, 1, "and the next heartbeat repeats them")
}

// waitFor is an activity's work; the beats come by the clock.
func waitFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
