package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

// TestLongCopiedNeverFalls restarts lanes in all ways: by rates, by a worker that stops in order,
// and by one that is killed. What people see as copied goes on from where it was.
func TestLongCopiedNeverFalls(t *testing.T) {
	c := newTestCluster(t, "copied")
	c.plan.Replicate.Shards = 1 // a heartbeat names its broker alone
	stop := c.load("worker-copied-orders")
	defer stop()
	worker := c.worker()
	require.NoError(t, c.start(api.ImportMetadataType).Get(c.ctx, nil))
	run := c.start(api.ReplicateType)
	seen := map[string]int64{}
	grown := func(more int64) {
		c.Helper()
		from := map[string]int64{}
		for broker, copied := range seen {
			from[broker] = copied
		}
		c.eventually("more is copied", func() bool {
			enough := len(c.copied(run)) == 2
			for broker, copied := range c.copied(run) {
				require.GreaterOrEqual(c, copied, seen[broker], "of %s", broker)
				seen[broker] = copied
				enough = enough && copied >= from[broker]+more
			}
			return enough
		})
	}
	grown(200)
	for i := range 2 {
		c.rate(run, float64(1000+i))
		grown(50)
	}
	worker.end(syscall.SIGTERM)
	worker = c.worker()
	grown(50)
	worker.end(syscall.SIGKILL)
	c.worker()
	grown(50)
	c.rate(run, 2000)
	grown(50)
	require.NoError(t, c.client.SignalWorkflow(c.ctx, run.GetID(), "", api.StopName, nil))
	var end api.Status
	require.NoError(t, run.Get(c.ctx, &end))
	require.Len(t, end.Copied, 2)
	for _, of := range end.Copied {
		require.GreaterOrEqual(t, of.There, seen[of.Broker])
	}
}

// copied is what the heartbeats of the shards tell, by source broker.
func (c *testCluster) copied(run client.WorkflowRun) map[string]int64 {
	all := map[string]int64{}
	for _, p := range c.shards(run) {
		var told api.ReplicationProgress
		details := p.GetHeartbeatDetails()
		if len(details.GetPayloads()) > 0 &&
			converter.GetDefaultDataConverter().FromPayloads(details, &told) == nil {
			all[told.Broker] = told.Copied
		}
	}
	return all
}

// rate bounds the lanes far above what they copy: they start again with it.
func (c *testCluster) rate(run client.WorkflowRun, messages float64) {
	c.Helper()
	handle, err := c.client.UpdateWorkflow(c.ctx, client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateName: api.SetRateName,
		Args: []any{api.RateChange{
			Rate: lane.Rate{Messages: messages}, By: "bob", Topic: "worker-copied-orders",
		}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(c, err)
	require.NoError(c, handle.Get(c.ctx, nil))
}
