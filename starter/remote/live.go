package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"rocketshift/api"
)

// addLive adds what pending activities of the workflow and of its running stages tell: heartbeats,
// and why a try failed. It is a view from outside: what can't be read now is left out.
func (t *temporalService) addLive(
	ctx context.Context,
	s *Snapshot,
	own *workflowservice.DescribeWorkflowExecutionResponse,
) {
	t.addPending(s, s.WorkflowID, own.GetPendingActivities())
	for _, stage := range s.Stages {
		if stage.State != api.StageRunning || stage.WorkflowID == "" || stage.WorkflowID == s.WorkflowID {
			continue
		}
		if d, err := t.client.DescribeWorkflowExecution(ctx, stage.WorkflowID, ""); err == nil && isRunning(d) {
			t.addPending(s, stage.WorkflowID, d.GetPendingActivities())
		}
	}
	slices.SortFunc(s.Replication,
		func(a, b api.ReplicationProgress) int { return strings.Compare(a.Broker, b.Broker) })
}

func (t *temporalService) addPending(s *Snapshot, workflowID string, pending []*workflowpb.PendingActivityInfo) {
	for _, p := range pending {
		switch p.GetActivityType().GetName() {
		case api.ReplicateActivity:
			var progress api.ReplicationProgress
			if t.decode(p.GetHeartbeatDetails(), &progress) {
				if p.GetPaused() {
					progress.Waiting = fmt.Sprintf(
						"lanes of %s are paused; temporal activity unpause --workflow-id %s --activity-id %s",
						progress.Broker, workflowID, p.GetActivityId(),
					)
				}
				s.Replication = append(s.Replication, progress)
				if at := p.GetLastHeartbeatTime().AsTime(); s.MeasuredAt.IsZero() || at.Before(s.MeasuredAt) {
					s.MeasuredAt = at
				}
			}
		case api.VerifyActivity:
			var compared struct {
				Progress api.VerifyProgress `json:"progress"`
			}
			if t.decode(p.GetHeartbeatDetails(), &compared) {
				s.Comparing = &compared.Progress
			}
		case api.SyncActivity:
			var progress api.SyncProgress
			if t.decode(p.GetHeartbeatDetails(), &progress) {
				s.Sync = &progress
			}
		}
		if p.GetLastFailure() != nil && !recovered(p) {
			s.Blocked = append(s.Blocked, blockedOf(workflowID, p))
		}
	}
}

// recovered reports whether the activity runs again and has said so since: its last failure is
// history then.
func recovered(p *workflowpb.PendingActivityInfo) bool {
	return p.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED &&
		p.GetLastHeartbeatTime().AsTime().After(p.GetLastStartedTime().AsTime())
}

func blockedOf(workflowID string, p *workflowpb.PendingActivityInfo) Blocked {
	b := Blocked{
		WorkflowID: workflowID, Activity: p.GetActivityType().GetName(), Attempt: p.GetAttempt(),
		Cause: p.GetLastFailure().GetMessage(), Type: p.GetLastFailure().GetApplicationFailureInfo().GetType(),
	}
	if p.GetLastFailure().GetTimeoutFailureInfo() != nil {
		b.Type = "Timeout" // a worker that went away shows like this
	}
	if at := p.GetLastAttemptCompleteTime(); at != nil {
		b.At = at.AsTime()
	}
	return b
}

// Close ends the connection to Temporal.
func (t *temporalService) Close() { t.client.Close() }
