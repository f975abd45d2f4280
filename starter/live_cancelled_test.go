package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/internal/failure"
)

// A cancelled migration goes back, as by back. A pipeline that repeats a plain start must not move
// again what people brought back.
func TestLiveAPlainStartDoesNotUndoACancel(t *testing.T) {
	at := connected(t)
	c, err := client.Dial(at)
	require.NoError(t, err)
	defer c.Close()
	w := worker.New(c, api.ControlTaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		s := api.Status{Name: in.Plan.Name, Type: api.MigrationType, PlanHash: in.Plan.Hash(), State: api.StateRunning}
		if err := workflow.SetQueryHandler(ctx, api.StatusQuery, func() (api.Status, error) { return s, nil }); err != nil {
			return s, err
		}
		ctx.Done().Receive(ctx, nil)
		s.State = api.StateRolledBack // as Migration.story ends
		return s, ctx.Err()
	}, workflow.RegisterOptions{Name: api.MigrationType})
	require.NoError(t, w.Start())
	defer w.Stop()
	path := livePlan(t, "cli-cancelled", "")
	first := live(t, "start", "-f", path, "-o", "json").document(t)
	require.NoError(t, c.CancelWorkflow(t.Context(), "migration-cli-cancelled", ""))
	ended := live(t, "status", "cli-cancelled", "--wait=end", "-o", "json").document(t)
	require.Equal(t, api.StateRolledBack, ended["state"])
	again := live(t, "start", "-f", path, "-o", "json")
	if doc := again.document(t); again.code == failure.Done {
		assert.Equal(t, first["runId"], doc["runId"], "it was started anew and moves everything again")
	}
	_ = c.TerminateWorkflow(t.Context(), "migration-cli-cancelled", "", "the test is over")
}
