package workflows

import (
	"math"

	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/report"
)

// startTelling tells the parent what changes, one report at a time: what changes while one is on
// its way goes into the next.
func (d *stageRun) startTelling(ctx workflow.Context) {
	if d.parent == nil || !d.bounded {
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
func (d *stageRun) tell(ctx workflow.Context) workflow.Future {
	d.untold = false
	now, err := report.FieldsOf(d.status)
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
	return workflow.SignalExternalWorkflow(ctx, d.parent.ID, "", report.Signal, report.Report{
		WorkflowID: own.ID, Run: own.RunID, Number: d.told, Changes: changes,
	})
}

// hear takes a child's report.
func (d *stageRun) hear(ctx workflow.Context, r report.Report) error {
	newest, before := d.heard[r.WorkflowID]
	switch {
	case r.Run != "" && r.Run == d.gone[r.WorkflowID], newest == math.MaxInt64:
		return nil // of a run that has ended
	case r.Status != nil: // all of it
		if before && r.Number <= newest {
			return nil
		}
		d.heard[r.WorkflowID], d.reports[r.WorkflowID] = r.Number, *r.Status
	default:
		of := d.fields[r.WorkflowID]
		if of == nil {
			of = &report.Heard{Run: r.Run, Fields: map[string]report.Field{}}
			d.fields[r.WorkflowID] = of
		}
		status, err := of.Take(r)
		if err != nil {
			return err
		}
		d.heard[r.WorkflowID] = max(newest, r.Number)
		d.reports[r.WorkflowID] = status
	}
	d.hearLeft(d.reports[r.WorkflowID])
	d.publish(ctx)
	return nil
}

// forget drops what a child told: it runs anew, and what comes late of its last run isn't heard.
func (d *stageRun) forget(id string) {
	if of := d.fields[id]; of != nil {
		d.gone[id] = of.Run
	}
	delete(d.reports, id)
	delete(d.heard, id)
	delete(d.fields, id)
}
