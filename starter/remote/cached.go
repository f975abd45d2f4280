package remote

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"rocketshift/api"
)

// cached is the last answer of a workflow to the status query. A query is an action of Temporal;
// to describe a workflow costs none, and what the answer says changes only when the history grows.
type cached struct {
	runID  string
	length int64 // events of the history when it was asked
	status api.Status
}

// statusOf asks a running workflow, unless nothing has happened in it since it was asked last.
func (t *temporalService) statusOf(
	ctx context.Context, info *workflowpb.WorkflowExecutionInfo,
) (api.Status, error) {
	id, runID := info.GetExecution().GetWorkflowId(), info.GetExecution().GetRunId()
	last, known := t.cached[id]
	if known && last.runID == runID && last.length == info.GetHistoryLength() && t.isServed(ctx) {
		return last.status, nil
	}
	status, err := t.queryStatus(ctx, id, runID)
	if err != nil {
		delete(t.cached, id)
		return status, err
	}
	t.cached[id] = cached{runID: runID, length: info.GetHistoryLength(), status: status}
	return status, nil
}

// isServed reports whether a worker asked for workflow tasks lately; without one a query says what
// is wrong. Who may not ask that sees it as if there were one.
func (t *temporalService) isServed(ctx context.Context) bool {
	d, err := t.client.DescribeTaskQueue(ctx, api.ControlTaskQueue,
		enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return true
	}
	for _, p := range d.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollerFresh {
			return true
		}
	}
	return false
}
