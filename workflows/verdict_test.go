package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/message"
)

// What a rule said of a signal, and the digest of what was shown, are side effects: their function
// isn't called again when a history is replayed.
func TestVerdictsAndDigestsAreOnRecord(t *testing.T) {
	s := emptyTheatre(t)
	calls := 0
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		refuse := func() error {
			calls++
			return temporal.NewApplicationError("nobody is named", "Refused")
		}
		require.ErrorContains(t, message.Judged(ctx, refuse), "nobody is named")
		require.NoError(t, message.Judged(ctx, func() error { return nil }))
		require.Equal(t, message.Digest([]int{7}), message.ShownDigest(ctx, []int{7}))
		return workflow.Sleep(ctx, time.Second)
	}, workflow.RegisterOptions{Name: "verdicts"})
	s.TestWorkflowEnvironment.ExecuteWorkflow("verdicts")
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 1, calls)
}
