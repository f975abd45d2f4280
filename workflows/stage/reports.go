package stage

import (
	"encoding/json"

	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/report"
)

// telling is what a workflow tells its parent of itself.
type telling struct {
	number   int64                      // of the last report: no less than its time in ns
	fields   map[string]json.RawMessage // what the parent knows by it
	changed  bool                       // something may have changed since
	underWay bool                       // a report is on its way
}

// startTelling tells the parent what changes, one report at a time: what changes while one is on
// its way goes into the next.
func (run *Run) startTelling(ctx workflow.Context) {
	if run.Parent == nil || !run.Bounded {
		return
	}
	ctx, _ = workflow.NewDisconnectedContext(ctx) // a workflow that is cancelled tells what it does
	workflow.GoNamed(ctx, "tell the parent", func(ctx workflow.Context) {
		for workflow.Await(ctx, func() bool { return run.telling.changed }) == nil {
			if sent := run.tell(ctx); sent != nil {
				run.telling.underWay = true
				_ = sent.Get(ctx, nil) // a parent that is gone has nothing to show
				run.telling.underWay = false
			}
		}
	})
}

// tellParent has the parent told of a change.
func (run *Run) tellParent(ctx workflow.Context) {
	switch {
	case run.Parent == nil:
	case run.Bounded:
		run.telling.changed = true
	default:
		// Nobody waits for the answer: a parent that is gone has nothing to show.
		run.telling.number = max(run.telling.number+1, workflow.Now(ctx).UnixNano()) // greater after a reset too
		workflow.SignalExternalWorkflow(ctx, run.Parent.ID, "", report.Signal, report.Report{
			WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Number: run.telling.number, Status: &run.Status,
		})
	}
}

// tell sends what has changed, if anything.
func (run *Run) tell(ctx workflow.Context) workflow.Future {
	run.telling.changed = false
	now, err := report.FieldsOf(run.Status)
	if err != nil {
		workflow.GetLogger(ctx).Warn("a status can't be told", "error", err)
		return nil
	}
	changes := report.ChangesOf(run.telling.fields, now)
	if len(changes) == 0 {
		return nil
	}
	run.telling.fields = now
	run.telling.number = max(run.telling.number+1, workflow.Now(ctx).UnixNano())
	own := workflow.GetInfo(ctx).WorkflowExecution
	return workflow.SignalExternalWorkflow(ctx, run.Parent.ID, "", report.Signal, report.Report{
		WorkflowID: own.ID, Run: own.RunID, Number: run.telling.number, Changes: changes,
	})
}

// AwaitTold waits until the parent knows what has changed.
func (run *Run) AwaitTold(ctx workflow.Context) {
	if run.Parent != nil && run.Bounded {
		_ = workflow.Await(ctx, func() bool { return !run.telling.changed && !run.telling.underWay })
	}
}

// hear takes a child's report.
func (run *Run) hear(ctx workflow.Context, r report.Report) error {
	heard, err := run.Children.hear(r)
	if heard {
		run.hearLeft(run.Children.Status(r.WorkflowID))
		run.Publish(ctx)
	}
	return err
}

// BeginChild begins to hear a child anew.
func (run *Run) BeginChild(ctx workflow.Context, id string) {
	run.Children.begin(id, workflow.Now(ctx))
	clear(run.approvals.given)
}
