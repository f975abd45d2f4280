package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// waitFor runs an activity that waits for people, pipelines or slow lanes, however long they take.
// away isn't 0 where groups are fenced as long as the target answers.
//
// A wait that is short is watched closely: its worker beats, so that one that dies, or a task that
// is lost on its way, is noticed within seconds. One that takes longer costs little instead.
func waitFor(
	ctx workflow.Context, away time.Duration, summary string, activity, request any,
) workflow.Future {
	if away > 0 || !changed(ctx, changePatience) {
		return workflow.ExecuteActivity(patientFor(ctx, away, summary), activity, request)
	}
	outcome, settable := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, summary, func(ctx workflow.Context) {
		first := workflow.ExecuteActivity(closely(ctx, summary), activity, request)
		err := first.Get(ctx, nil)
		if err == nil || temporal.IsCanceledError(err) || lasts(err) {
			settable.Chain(first)
			return
		}
		settable.Chain(workflow.ExecuteActivity(patient(ctx, summary), activity, request))
	})
	return outcome
}

// closely is quick for the first time of a wait.
func closely(ctx workflow.Context, summary string) workflow.Context {
	o := workflow.GetActivityOptions(quick(ctx, summary))
	o.WaitForCancellation, o.ScheduleToCloseTimeout = false, patientAfter
	return workflow.WithActivityOptions(ctx, o)
}
