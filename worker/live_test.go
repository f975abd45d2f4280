package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"rocketshift/api"
)

// TestLongWorkersShareTheLanes starts a worker, then two more, kills one, pauses a shard and ends a
// worker in order, all under load.
func TestLongWorkersShareTheLanes(t *testing.T) {
	c := newTestCluster(t, "shares")
	topics := []string{"worker-shares-orders", "worker-shares-payments"}
	stop := c.load(topics...)
	first := c.worker()
	require.NoError(t, c.start(api.ImportMetadataType).Get(c.ctx, nil))
	run := c.start(api.ReplicateType)
	c.eventually("the first worker runs all shards", func() bool { return c.runs(run, first)[0] == 6 })

	second, third := c.worker(), c.worker()
	began := time.Now()
	c.eventually("workers that join take their part", func() bool {
		counts := c.runs(run, first, second, third)
		return counts[0] == 2 && counts[1] == 2 && counts[2] == 2
	})
	t.Logf("spread over three workers in %s", time.Since(began).Round(time.Second))

	second.end(syscall.SIGKILL)
	began = time.Now()
	c.eventually("the others take over from a killed one", func() bool {
		counts := c.runs(run, first, third)
		return counts[0]+counts[1] == 6
	})
	t.Logf("taken over %s after the kill, with a heartbeat of %s", time.Since(began).Round(time.Second),
		time.Duration(c.plan.Replicate.Heartbeat))

	c.requirePauses(run, topics)

	third.end(syscall.SIGTERM)
	began = time.Now()
	c.eventually("the last one takes over from one that stops", func() bool { return c.runs(run, first)[0] == 6 })
	t.Logf("handed over %s after the end of an orderly stop", time.Since(began).Round(100*time.Millisecond))

	stop()
	c.eventually("all is copied", func() bool { return c.behind(topics...) == 0 })
	c.requireLedger(topics...)
	began = time.Now()
	require.NoError(t, c.client.SignalWorkflow(c.ctx, run.GetID(), "", api.StopName, nil))
	require.NoError(t, run.Get(c.ctx, nil), "a stop is a good end")
	t.Logf("stopped in %s", time.Since(began).Round(100*time.Millisecond))
}

// requirePauses pauses the shards, as the button of the Web UI and `temporal activity pause` do:
// the lanes stop, and go on.
func (c *testCluster) requirePauses(run client.WorkflowRun, topics []string) {
	c.Helper()
	shards := c.shards(run)
	require.Len(c, shards, 6)
	service := c.client.WorkflowService()
	_, err := service.PauseActivity(c.ctx, &workflowservice.PauseActivityRequest{
		Namespace: client.DefaultNamespace, Execution: &commonpb.WorkflowExecution{WorkflowId: run.GetID()},
		Activity: &workflowservice.PauseActivityRequest_Type{Type: "Replicate"}, Identity: "test",
	})
	require.NoError(c, err)
	began := time.Now()
	c.eventually("paused shards run nowhere", func() bool {
		paused := 0
		for _, p := range c.shards(run) {
			if p.GetState() == enumspb.PENDING_ACTIVITY_STATE_PAUSED {
				paused++
			}
		}
		return paused == len(shards)
	})
	c.Logf("paused in %s", time.Since(began).Round(100*time.Millisecond))
	before, ends := c.behind(topics...), c.ends(topics...)
	c.eventually("producers go on", func() bool { return c.behind(topics...) > before+500 })
	require.Equal(c, ends, c.ends(topics...), "nothing is copied meanwhile")
	for _, p := range shards {
		_, err := service.UnpauseActivity(c.ctx, &workflowservice.UnpauseActivityRequest{
			Namespace: client.DefaultNamespace, Execution: &commonpb.WorkflowExecution{WorkflowId: run.GetID()},
			Activity: &workflowservice.UnpauseActivityRequest_Id{Id: p.GetActivityId()}, Identity: "test",
		})
		require.NoError(c, err)
	}
	c.eventually("every lane goes on", func() bool {
		for queue, end := range c.ends(topics...) {
			if end <= ends[queue] {
				return false
			}
		}
		return true
	})
}
