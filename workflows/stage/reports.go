package stage

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/report"
)

// startTelling tells the parent what changes, one report at a time: what changes while one is on
// its way goes into the next.
func (d *Run) startTelling(ctx workflow.Context) {
	if d.Parent == nil || !d.Bounded {
		return
	}
	ctx, _ = workflow.NewDisconnectedContext(ctx) // a workflow that is cancelled tells what it does
	workflow.GoNamed(ctx, "tell the parent", func(ctx workflow.Context) {
		for workflow.Await(ctx, func() bool { return d.untold }) == nil {
			if sent := d.tell(ctx); sent != nil {
				d.telling = true
				_ = sent.Get(ctx, nil) // a parent that is gone has nothing to show
				d.telling = false
			}
		}
	})
}

// tell sends what has changed, if anything.
func (d *Run) tell(ctx workflow.Context) workflow.Future {
	d.untold = false
	now, err := report.FieldsOf(d.Status)
	if err != nil {
		workflow.GetLogger(ctx).Warn("a status can't be told", "error", err)
		return nil
	}
	changes := report.ChangesOf(d.toldFields, now)
	if len(changes) == 0 {
		return nil
	}
	d.toldFields = now
	d.told = max(d.told+1, workflow.Now(ctx).UnixNano())
	own := workflow.GetInfo(ctx).WorkflowExecution
	return workflow.SignalExternalWorkflow(ctx, d.Parent.ID, "", report.Signal, report.Report{
		WorkflowID: own.ID, Run: own.RunID, Number: d.told, Changes: changes,
	})
}

// AwaitTold waits until the parent knows what has changed.
func (d *Run) AwaitTold(ctx workflow.Context) {
	if d.Parent != nil && d.Bounded {
		_ = workflow.Await(ctx, func() bool { return !d.untold && !d.telling })
	}
}

// hear takes a child's report.
func (d *Run) hear(ctx workflow.Context, r report.Report) error {
	heard, err := d.Children.hear(r)
	if heard {
		d.hearLeft(d.Children.Status(r.WorkflowID))
		d.Publish(ctx)
	}
	return err
}

// BeginChild begins to hear a child anew.
func (d *Run) BeginChild(ctx workflow.Context, id string) {
	d.Children.begin(id, workflow.Now(ctx))
	clear(d.given)
}
