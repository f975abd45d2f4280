package workflows

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
)

// startServicesBefore is of runs that are older than change.Services.
func (m *migration) startServicesBefore(ctx workflow.Context) error {
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		if m.hasService(name) {
			continue
		}
		if err := m.checkpoint(ctx); err != nil {
			return err
		}
		id := api.StageID(m.plan, name)
		m.begin(ctx, name, id)
		future := workflow.ExecuteChildWorkflow(call.Child(ctx, id, name+" of "+m.plan.Name), name, m.input())
		if err := future.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return alreadyRunning(name, id, err)
		}
		m.services = append(m.services, &service{name: name, id: id, future: future})
		workflow.GoNamed(ctx, "watch "+name, func(ctx workflow.Context) { m.watch(ctx, name, id, future) })
	}
	return nil
}

// watch holds the migration if a service ends before its time: without it nothing may move.
func (m *migration) watch(ctx workflow.Context, name, id string, future workflow.ChildWorkflowFuture) {
	var last api.Status
	err := future.Get(ctx, &last)
	m.heard[id] = workflow.Now(ctx).UnixNano()
	if err == nil {
		m.reports[id] = last
	}
	m.end(ctx, name, err)
	if m.ending || ctx.Err() != nil {
		return
	}
	m.held = &api.Steering{
		By:     "rocketshift",
		Reason: name + " ended early; start it again alone with the same plan, then resume",
	}
	m.publish(ctx)
}
