package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
)

// awaitHandlers waits until every update that was accepted has its answer: one that is open when
// the workflow ends gets none, and its sender can't tell whether it was taken. Handlers pass a
// message on, or look at brokers for a bounded time, so that it takes seconds at most.
func awaitHandlers(ctx workflow.Context) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// lastDetail is what an ended migration is at: no stage runs any more.
func lastDetail(err error) string {
	switch {
	case err == nil:
		return "everything has moved to the target, and the ledger of the source is settled"
	case errors.Is(err, errBack):
		return "everything is on the source"
	}
	return "ended by an error; applications are where they were"
}

func finalState(err error) string {
	switch {
	case err == nil:
		return api.StateDone
	case errors.Is(err, errBack):
		return api.StateRolledBack
	}
	return api.StateFailed
}
