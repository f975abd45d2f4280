package workflows

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
)

// startBefore is of runs that are older than change.Services.
func (k *keeper) startBefore(ctx workflow.Context) error {
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		if k.has(name) {
			continue
		}
		if err := k.m.Checkpoint(ctx); err != nil {
			return err
		}
		id := api.StageID(k.m.Plan, name)
		k.m.begin(ctx, name, id)
		future := workflow.ExecuteChildWorkflow(call.Child(ctx, id, name+" of "+k.m.Plan.Name), name, k.m.input())
		if err := future.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return alreadyRunning(name, id, err)
		}
		k.all = append(k.all, &service{name: name, id: id, future: future, state: serviceAsBegun})
		workflow.GoNamed(ctx, "watch "+name, func(ctx workflow.Context) { k.watch(ctx, name, id, future) })
	}
	return nil
}

// watch holds the migration if a service ends before its time: without it nothing may move.
func (k *keeper) watch(ctx workflow.Context, name, id string, future workflow.ChildWorkflowFuture) {
	var last api.Status
	err := future.Get(ctx, &last)
	k.m.Children.Ignore(id, workflow.Now(ctx))
	if err == nil {
		k.m.Children.SetStatus(id, last)
	}
	k.m.end(ctx, name, err)
	if k.ending || ctx.Err() != nil {
		return
	}
	k.m.Held = &api.Steering{
		By:     "rocketshift",
		Reason: name + " ended early; start it again alone with the same plan, then resume",
	}
	k.m.Publish(ctx)
}
