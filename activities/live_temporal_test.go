package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

// TestLongSettleTimeGoesOnOverAttempts proves on a real Temporal server that what a waiting
// activity has seen travels in its heartbeat: the settle time is longer than one attempt.
func TestLongSettleTimeGoesOnOverAttempts(t *testing.T) {
	r := newRig(t, "attempts")
	orders := r.topic("orders", 1)
	r.importAll([]string{orders}, nil, nil)
	r.plan.Shift.Settle = plan.Duration(2 * shortAttempt)
	server := labtest.Temporal(t)
	c, err := client.Dial(
		client.Options{HostPort: server.Address, Logger: log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK"))},
	)
	require.NoError(t, err)
	defer c.Close()
	w := worker.New(c, "activities-attempts", worker.Options{})
	w.RegisterActivity(NewTraffic(r.settings))
	story := func(ctx workflow.Context, move AwaitMoveRequest) error {
		var acts *Traffic
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: patience,
			RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: firstAttempts}, // none of them is a long one
		}), acts.AwaitQuiet, move).Get(ctx, nil)
	}
	w.RegisterWorkflowWithOptions(story, workflow.RegisterOptions{Name: "activities-attempts"})
	require.NoError(t, w.Start())
	defer w.Stop()
	start := time.Now()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "activities-attempts"},
		"activities-attempts",
		AwaitMoveRequest{Request: r.request(), From: api.Source, Topics: api.Some(orders)})
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	assert.GreaterOrEqual(t, time.Since(start), 2*shortAttempt)
}
