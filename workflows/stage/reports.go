package stage

import (
	"math"

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
		for workflow.Await(ctx, func() bool { return d.Untold }) == nil {
			if sent := d.tell(ctx); sent != nil {
				d.Telling = true
				_ = sent.Get(ctx, nil) // a parent that is gone has nothing to show
				d.Telling = false
			}
		}
	})
}

// tell sends what has changed, if anything.
func (d *Run) tell(ctx workflow.Context) workflow.Future {
	d.Untold = false
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

// hear takes a child's report.
func (d *Run) hear(ctx workflow.Context, r report.Report) error {
	newest, before := d.Heard[r.WorkflowID]
	switch {
	case r.Run != "" && r.Run == d.Gone[r.WorkflowID], newest == math.MaxInt64:
		return nil // of a run that has ended
	case r.Status != nil: // all of it
		if before && r.Number <= newest {
			return nil
		}
		d.Heard[r.WorkflowID], d.Reports[r.WorkflowID] = r.Number, *r.Status
	default:
		of := d.Fields[r.WorkflowID]
		if of == nil {
			of = &report.Heard{Run: r.Run, Fields: map[string]report.Field{}}
			d.Fields[r.WorkflowID] = of
		}
		status, err := of.Take(r)
		if err != nil {
			return err
		}
		d.Heard[r.WorkflowID] = max(newest, r.Number)
		d.Reports[r.WorkflowID] = status
	}
	d.hearLeft(d.Reports[r.WorkflowID])
	d.Publish(ctx)
	return nil
}

// Forget drops what a child told: it runs anew, and what comes late of its last run isn't heard.
func (d *Run) Forget(id string) {
	if of := d.Fields[id]; of != nil {
		d.Gone[id] = of.Run
	}
	delete(d.Reports, id)
	delete(d.Heard, id)
	delete(d.Fields, id)
}
