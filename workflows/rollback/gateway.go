package rollback

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/moving"
)

// gatewayBack brings everything that the gateway has moved back to the source.
func (d *rollback) gatewayBack(ctx workflow.Context) error {
	steps, err := d.stepsBack(ctx)
	if err != nil {
		return err
	}
	if change.Made(ctx, change.WithoutTarget) {
		var done func()
		done, err = d.returnByGateways(ctx, steps)
		defer done()
	} else {
		err = d.gatewayBackBefore(ctx, steps)
	}
	if err != nil {
		return err
	}
	if err := d.awaitPending(ctx); err != nil {
		return err
	}
	d.Detail(ctx, "all homes and groups are back on the source; applications may stay behind the gateway")
	return nil
}

// gatewayBackBefore is of runs that are older than change.WithoutTarget.
func (d *rollback) gatewayBackBefore(ctx workflow.Context, steps []call.Action) error {
	for i, step := range steps {
		d.Detail(ctx, "%s", step.Summary)
		// a gateway that moved anything knows it already
		if i == 0 && change.Made(ctx, change.HealthyFirst) {
			err := workflow.ExecuteActivity(call.Within(ctx, d.Plan.Shift.FenceLimit(), step.Summary),
				step.Activity, step.Request).Get(ctx, nil)
			if err != nil && ctx.Err() != nil {
				return err
			}
			if err != nil {
				d.Note(ctx, "the gateways weren't told of the migration again: %s",
					call.RootMessage(err))
			}
			continue
		}
		if i == 1 && change.Made(ctx, change.Behind) {
			var groups, topics api.Names // of whom applications are asked for
			if d.in.Inventory != nil {
				groups, topics = d.in.Inventory.Readers(), d.in.Inventory.Topics()
			}
			if err := d.returnAuthority(ctx, step, groups, topics); err != nil {
				return err
			}
			continue
		}
		if err := d.ByGateway(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// stepsBack are the activities of the way back. What has to go back the gateways know: no inventory
// is needed, and no document.
func (d *rollback) stepsBack(ctx workflow.Context) ([]call.Action, error) {
	if !d.Bounded {
		return d.stepsBackBefore(ctx)
	}
	var gateways *activities.Gateways
	prepare := activities.PrepareRequest{Request: d.Request()}
	if d.in.Inventory != nil {
		prepare.Ordered = d.in.Inventory.Ordered()
	}
	onSource := activities.GroupsRequest{Request: d.Request(), Side: api.Source, All: true}
	homes := activities.HomesRequest{Request: d.Request(), All: true}
	return []call.Action{
		{Summary: "step 1: the gateway knows the migration", Activity: gateways.Prepare, Request: prepare},
		{Summary: "step 2: the source says who members are", Activity: gateways.MoveAuthority, Request: onSource},
		{Summary: "step 3: all queues have their home on the source", Activity: gateways.MoveHomes, Request: homes},
		{Summary: "step 4: groups read on the source", Activity: gateways.MoveGroups, Request: onSource},
	}, nil
}

// stepsBackBefore is of runs that are older than change.Bounded.
func (d *rollback) stepsBackBefore(ctx workflow.Context) ([]call.Action, error) {
	inventory, err := d.Inventory(ctx, d.in)
	if err != nil {
		return nil, err
	}
	var gateways *activities.Gateways
	prepare := activities.PrepareRequest{Request: d.Request(), Ordered: inventory.Ordered()}
	groups := inventory.Readers()
	onSource := activities.GroupsRequest{Request: d.Request(), Side: api.Source, Groups: groups}
	homes := activities.HomesRequest{Request: d.Request(), Topics: inventory.Topics()}
	return []call.Action{
		{Summary: "step 1: the gateway knows the migration", Activity: gateways.Prepare, Request: prepare},
		{Summary: "step 2: the source says who members are", Activity: gateways.MoveAuthority, Request: onSource},
		{Summary: "step 3: all queues have their home on the source", Activity: gateways.MoveHomes, Request: homes},
		{Summary: "step 4: groups read on the source: " + api.Short(groups), Activity: gateways.MoveGroups, Request: onSource},
	}, nil
}

// returnAuthority makes the source the side that says who members are. Gateways refuse that while
// members are connected to the target: then applications are asked to return behind the gateways,
// which they left in the end phase.
func (d *rollback) returnAuthority(ctx workflow.Context, move call.Action, groups, topics api.Names) error {
	err := move.Run(call.Within(ctx, moving.AuthorityTries, move.Summary))
	if err == nil || ctx.Err() != nil || call.Lasts(err) {
		return err
	}
	return d.AskBehind(ctx, move, err, groups, topics)
}
