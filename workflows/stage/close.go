package stage

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// errLeft is the end of a stage that was started alone and is asked to go back: Rollback is another
// stage.
var errLeft = errors.New(
	"it has stopped, and what it moved stays where it is: start Rollback, or the migration and then back",
)

// leavesMoved reports whether the workflow moves applications, and nobody runs Rollback after it.
func (run *Run) leavesMoved() bool {
	return run.Parent == nil &&
		slices.Contains([]string{api.ShiftType, api.EndPhaseType, api.FinalizeType}, run.Status.Type)
}

// close is the last word: the final status is the workflow's result. A failure keeps its error and
// shows it.
func (run *Run) close(ctx workflow.Context, err error) (api.Status, error) {
	if workflow.IsContinueAsNewError(err) { // it goes on in its next run
		return run.Status, err
	}
	awaitHandlers(ctx)
	run.Status.Waiting = nil
	switch {
	case err == nil && run.Status.State != api.StateRolledBack:
		run.Status.State = api.StateDone
	// it went back before it ended
	case run.Status.State == api.StateRolledBack && temporal.IsCanceledError(err):
	// a rollback that ends before it is done is none
	case errors.Is(err, ErrBack) && run.leavesMoved() && change.Made(ctx, change.Alone):
		run.Status.State, run.Status.Error = api.StateFailed, errLeft.Error()
		err = temporal.NewNonRetryableApplicationError(errLeft.Error(), call.NotRolledBackType, nil)
	case errors.Is(err, ErrBack) && run.Status.Type != api.RollbackType:
		run.Status.State, err = api.StateRolledBack, nil
	case err != nil:
		run.Status.State, run.Status.Error = api.StateFailed, call.RootMessage(err)
	}
	run.Publish(ctx)
	if run.telling.changed && err != nil { // a good result tells all of it
		run.tell(ctx)
	}
	return run.View(), err
}

// awaitHandlers waits until every update that was accepted has its answer: one that is open when
// the workflow ends gets none, and its sender can't tell whether it was taken. Handlers pass a
// message on, or look at brokers for a bounded time, so that it takes seconds at most.
func awaitHandlers(ctx workflow.Context) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}
