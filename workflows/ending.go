package workflows

import "go.temporal.io/sdk/workflow"

// awaitHandlers waits until every update that was accepted has its answer: one that is open when
// the workflow ends gets none, and its sender can't tell whether it was taken. Handlers pass a
// message on, or look at brokers for a bounded time, so that it takes seconds at most.
func awaitHandlers(ctx workflow.Context) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}
