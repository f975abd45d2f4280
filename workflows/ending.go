package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// lastDetail is what an ended migration is at: no stage runs any more.
func lastDetail(err error) string {
	switch {
	case err == nil:
		return "everything has moved to the target, and the ledger of the source is settled"
	case errors.Is(err, stage.ErrBack):
		return "everything is on the source"
	}
	return "ended by an error; applications are where they were"
}

func finalState(err error) string {
	switch {
	case err == nil:
		return api.StateDone
	case errors.Is(err, stage.ErrBack):
		return api.StateRolledBack
	}
	return api.StateFailed
}

// report writes the last status where it outlives the history. A report that can't be written is
// noted, not fatal.
func (m *migration) report(ctx workflow.Context, err error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	m.Status.Detail = lastDetail(err)
	final := m.View()
	final.Waiting, final.State = nil, finalState(err)
	if err != nil && !errors.Is(err, stage.ErrBack) {
		final.Error = call.RootMessage(err)
	}
	var acts *activities.Reports
	var result activities.ReportResult
	request := activities.ReportRequest{Name: m.Plan.Name, Document: final}
	if err := workflow.ExecuteActivity(call.Reporting(ctx), acts.Write, request).Get(ctx, &result); err != nil {
		m.Note(ctx, "the report was not written: %s", call.RootMessage(err))
	}
	m.Status.Report = result.Path
}
