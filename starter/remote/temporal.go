package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/plan"
)

const (
	// connectTimeout bounds the first contact, so that a wrong address is said instead of waited
	// for.
	connectTimeout = 10 * time.Second
	// closedQueryTimeout bounds the look into a failed workflow's tables: its error is known
	// without a worker.
	closedQueryTimeout = 2 * time.Second
	// queryAgain spaces tries while a workflow has not had its first task yet.
	queryAgain = 200 * time.Millisecond
)

// temporalService is the Service of a Temporal server.
type temporalService struct {
	client    client.Client
	options   client.Options
	converter converter.DataConverter
	cached    map[string]cached // by workflow id
}

// Connect reaches the server that the TEMPORAL_* settings name.
func Connect(ctx context.Context) (Service, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, failure.Broken("", "read the TEMPORAL_* settings: %w", err)
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, failure.Broken("start it (bin/temporal server start-dev) or set TEMPORAL_ADDRESS",
			"temporal at %s does not answer: %w", options.HostPort, err)
	}
	data := options.DataConverter
	if data == nil {
		data = converter.GetDefaultDataConverter()
	}
	return &temporalService{client: c, options: options, converter: data, cached: map[string]cached{}}, nil
}

// Start asks for the workflow by its fixed id: a running one is joined, a finished one is never
// repeated, a failed one may be, and one that went back if again is set: a pipeline that repeats
// its start must not move what people brought back.
func (t *temporalService) Start(ctx context.Context, p plan.Plan, again bool) (Started, error) {
	check := t.wasCancelled
	if again {
		check = t.wentBack
	}
	if err := check(ctx, p); err != nil {
		return Started{}, err
	}
	before := ""
	if d, err := t.client.DescribeWorkflowExecution(ctx, p.WorkflowID(), ""); err == nil && isRunning(d) {
		before = d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	out := Started{WorkflowID: p.WorkflowID(), PlanHash: p.Hash()}
	run, err := t.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: p.WorkflowID(), TaskQueue: api.ControlTaskQueue,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:                    reuse(again),
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            SummaryOf(p), StaticDetails: DetailsOf(p),
	}, api.MigrationType, api.MigrationInput{Plan: p})
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &already):
		out.RunID, out.Ended = already.RunId, true
	case err != nil:
		return out, t.explain("start "+p.WorkflowID(), err)
	default:
		out.RunID, out.Joined = run.GetRunID(), run.GetRunID() == before
	}
	if err := t.samePlan(ctx, p, out); err != nil {
		return out, err
	}
	out.NoWorker = !out.Ended && t.pollers(ctx, api.ControlTaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW) == 0
	return out, nil
}

// reuse says whether an ended migration may be started anew.
func reuse(again bool) enumspb.WorkflowIdReusePolicy {
	if again {
		return enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	return enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
}

// wasCancelled refuses to start a migration anew that was cancelled: it went back, as by back, and
// a pipeline that repeats its start must not move again what people brought back.
func (t *temporalService) wasCancelled(ctx context.Context, p plan.Plan) error {
	described, err := t.client.DescribeWorkflowExecution(ctx, p.WorkflowID(), "")
	if err != nil || described.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED {
		return nil // it is for the start itself to say what is wrong
	}
	return failure.Usage("rocketshift start --again starts it anew",
		"%s was cancelled: what had moved went back to the source", p.WorkflowID())
}

// wentBack makes sure that the migration's last run doesn't forbid another: it runs still, failed,
// or went back.
func (t *temporalService) wentBack(ctx context.Context, p plan.Plan) error {
	described, err := t.client.DescribeWorkflowExecution(ctx, p.WorkflowID(), "")
	if err != nil || described.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		return nil // it is for the start itself to say what is wrong
	}
	last := Snapshot{
		WorkflowID: p.WorkflowID(),
		RunID:      described.GetWorkflowExecutionInfo().GetExecution().GetRunId(),
	}
	t.lastWord(ctx, &last, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	if last.State != api.StateRolledBack {
		return failure.Usage("use another name in the plan",
			"%s ended as %s: only a migration that went back is started anew", last.WorkflowID,
			last.State)
	}
	return t.samePlan(ctx, p, Started{WorkflowID: last.WorkflowID, RunID: last.RunID, Ended: true})
}

// samePlan compares with the plan that the workflow was started with: its first event has it, also
// when no worker runs.
func (t *temporalService) samePlan(ctx context.Context, p plan.Plan, s Started) error {
	history := t.client.GetWorkflowHistory(ctx, s.WorkflowID, s.RunID, false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	event, err := history.Next()
	if err != nil {
		return t.explain("read the plan of "+s.WorkflowID, err)
	}
	var input api.MigrationInput
	if err := t.converter.FromPayloads(event.GetWorkflowExecutionStartedEventAttributes().GetInput(), &input); err != nil {
		return failure.Broken("", "read the plan of %s: %w", s.WorkflowID, err)
	}
	if input.Plan.Hash() == p.Hash() {
		return nil
	}
	state := "runs"
	if s.Ended {
		state = "has ended"
	}
	return failure.Usage("nothing was started: use another name in the plan, or that plan",
		"%s %s with another plan: it has hash %s, this one %s", s.WorkflowID, state, input.Plan.Hash(),
		p.Hash())
}

func isRunning(d *workflowservice.DescribeWorkflowExecutionResponse) bool {
	return d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// Snapshot asks the workflow while it runs, and reads its result afterwards.
func (t *temporalService) Snapshot(ctx context.Context, id string) (Snapshot, error) {
	described, err := t.client.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return Snapshot{}, t.explain("describe "+id, err)
	}
	info := described.GetWorkflowExecutionInfo()
	out := Snapshot{WorkflowID: id, RunID: info.GetExecution().GetRunId(), Running: isRunning(described)}
	if !out.Running {
		t.lastWord(ctx, &out, info.GetStatus())
		return out, nil
	}
	if out.Status, err = t.statusOf(ctx, info); err != nil {
		return out, err
	}
	t.addLive(ctx, &out, described)
	return out, nil
}

// queryStatus waits for the workflow's first task, if need be, as long as ctx allows.
func (t *temporalService) queryStatus(ctx context.Context, id, runID string) (status api.Status, err error) {
	ask := func() error {
		value, err := t.client.QueryWorkflow(ctx, id, runID, api.StatusQuery)
		if err != nil {
			var early *serviceerror.WorkflowNotReady
			if errors.As(err, &early) {
				return err
			}
			return backoff.Permanent(err)
		}
		return value.Get(&status)
	}
	err = backoff.Retry(ask, backoff.WithContext(backoff.NewConstantBackOff(queryAgain), ctx))
	return status, t.explain("ask "+id, err)
}

// lastWord is the result of a workflow that ended. A failed one may still show its tables, if a
// worker is there.
func (t *temporalService) lastWord(ctx context.Context, s *Snapshot, closed enumspb.WorkflowExecutionStatus) {
	err := t.client.GetWorkflow(ctx, s.WorkflowID, s.RunID).Get(ctx, &s.Status)
	if err == nil {
		return
	}
	quick, cancel := context.WithTimeout(ctx, closedQueryTimeout)
	defer cancel()
	if status, err := t.queryStatus(quick, s.WorkflowID, s.RunID); err == nil {
		s.Status = status
	}
	if closed == enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED &&
		s.State == api.StateRolledBack {
		return // a cancelled migration goes back before it ends
	}
	s.State, s.Waiting = api.StateFailed, nil
	var cause *temporal.ApplicationError
	switch {
	case errors.As(err, &cause):
		s.Error = cause.Message()
	case closed != enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
		s.Error = fmt.Sprintf("the workflow was ended from outside (%s)", closed)
	default:
		s.Error = err.Error()
	}
}

// Update waits for the workflow's answer.
func (t *temporalService) Update(ctx context.Context, id, name, updateID string, message, answer any) error {
	handle, err := t.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateID: updateID, UpdateName: name, WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{message},
	})
	if err == nil {
		err = handle.Get(ctx, answer)
	}
	return t.explain(name+" "+id, err)
}

// Signal leaves a message.
func (t *temporalService) Signal(ctx context.Context, id, name string, message any) error {
	return t.explain("signal "+name+" to "+id, t.client.SignalWorkflow(ctx, id, "", name, message))
}

// explain turns Temporal's errors into the few that commands tell apart.
func (t *temporalService) explain(doing string, err error) error {
	var (
		missing      *serviceerror.NotFound
		namespace    *serviceerror.NamespaceNotFound
		updateLate   *client.WorkflowUpdateServiceTimeoutOrCanceledError
		late         *serviceerror.DeadlineExceeded
		precondition *serviceerror.FailedPrecondition
		notReady     *serviceerror.WorkflowNotReady
		canceled     *serviceerror.Canceled // how a deadline sometimes comes back
		answer       *temporal.ApplicationError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &namespace):
		return failure.Broken("create it, or set TEMPORAL_NAMESPACE", "temporal at %s has no namespace %q",
			t.options.HostPort, t.options.Namespace)
	case errors.As(err, &missing) && missing.Message == "workflow execution already completed":
		return ErrEnded
	case errors.As(err, &missing):
		return ErrNotFound
	case errors.As(err, &answer):
		return Refusal{answer.Message()}
	case errors.As(err, &precondition): // no poller, or a worker whose code fails: the server knows which
		return fmt.Errorf("%w: %s: %s", ErrNoWorker, doing, precondition.Message)
	case errors.As(err, &updateLate),
		errors.As(err, &late),
		errors.As(err, &notReady),
		errors.As(err, &canceled),
		errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s: not in time", ErrNoWorker, doing)
	}
	return failure.Broken("see rocketshift doctor", "%s: %w", doing, err)
}

// decode reads a payload, such as a heartbeat's, into out; what can't be read is left out of the
// picture.
func (t *temporalService) decode(p *commonpb.Payloads, out any) bool {
	return len(p.GetPayloads()) > 0 && t.converter.FromPayloads(p, out) == nil
}
