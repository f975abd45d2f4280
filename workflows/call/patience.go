package call

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/change"
)

// WaitFor runs an activity that waits for people, pipelines or slow lanes, however long they take.
// away isn't 0 where groups are fenced as long as the target answers.
//
// A wait that is short is watched closely: its worker beats, so that one that dies, or a task that
// is lost on its way, is noticed within seconds. One that takes longer costs little instead, and
// the less the older it is.
func WaitFor(
	ctx workflow.Context, away time.Duration, summary string, activity, request any,
) workflow.Future {
	if !change.Made(ctx, change.Patience) || away > 0 && !change.Made(ctx, change.OldWaits) {
		return workflow.ExecuteActivity(PatientFor(ctx, away, summary), activity, request)
	}
	outcome, settable := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, summary, func(ctx workflow.Context) {
		if away > 0 {
			settable.Chain(WaitClosed(ctx, away, summary, activity, request))
			return
		}
		first := workflow.ExecuteActivity(closely(ctx, summary), activity, request)
		if isOver(ctx, first) {
			settable.Chain(first)
			return
		}
		settable.Chain(WaitOn(ctx, summary, activity, request))
	})
	return outcome
}

// WaitOn is for what nobody needs to watch closely: it is patient for an hour, and costs less from
// then on.
func WaitOn(
	ctx workflow.Context, summary string, activity, request any,
) workflow.Future {
	if change.Made(ctx, change.OldWaits) {
		young := workflow.WithScheduleToCloseTimeout(Patient(ctx, summary), OldAfter)
		if first := workflow.ExecuteActivity(young, activity, request); isOver(ctx, first) {
			return first
		}
		ctx = workflow.WithStartToCloseTimeout(Patient(ctx, summary), oldTimeout)
		return workflow.ExecuteActivity(ctx, activity, request)
	}
	return workflow.ExecuteActivity(Patient(ctx, summary), activity, request)
}

// WaitClosed is for waits while something is closed to applications until somebody sees that it
// can be opened: groups that are fenced as long as the target answers, for which away isn't 0, or
// ordered topics. It beats for an hour, and its attempts stay shorter than those of other old
// waits. Both ways to wait overlap: one of them sees a target that dies for all of away.
func WaitClosed(
	ctx workflow.Context, away time.Duration, summary string, activity, request any,
) workflow.Future {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	young := workflow.WithScheduleToCloseTimeout(Patient(ctx, summary), OldAfter+2*away)
	young = workflow.WithHeartbeatTimeout(young, WaitHeartbeat)
	first := workflow.ExecuteActivity(young, activity, request)
	inTime, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: OldAfter, TimerOptions: workflow.TimerOptions{Summary: summary},
	}, first.IsReady)
	if err != nil || inTime && isOver(ctx, first) {
		return first
	}
	second := workflow.ExecuteActivity(Patient(ctx, summary), activity, request)
	_ = workflow.Await(ctx, func() bool {
		return second.IsReady() || first.IsReady() && isOver(ctx, first)
	})
	if second.IsReady() {
		return second
	}
	return first
}

// isOver reports whether a wait has ended otherwise than by the end of its time.
func isOver(ctx workflow.Context, wait workflow.Future) bool {
	err := wait.Get(ctx, nil)
	return err == nil || temporal.IsCanceledError(err) || Lasts(err)
}

// closely is Quick for the first time of a wait.
func closely(ctx workflow.Context, summary string) workflow.Context {
	o := workflow.GetActivityOptions(Quick(ctx, summary))
	o.WaitForCancellation, o.ScheduleToCloseTimeout = false, PatientAfter
	return workflow.WithActivityOptions(ctx, o)
}
