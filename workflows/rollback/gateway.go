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
func (b *rollback) gatewayBack(ctx workflow.Context) error {
	steps, err := b.stepsBack(ctx)
	if err != nil {
		return err
	}
	if change.Made(ctx, change.WithoutTarget) {
		var done func()
		done, err = b.returnByGateways(ctx, steps)
		defer done()
	} else {
		err = b.gatewayBackBefore(ctx, steps)
	}
	if err != nil {
		return err
	}
	if err := b.awaitPending(ctx); err != nil {
		return err
	}
	b.Detail(ctx, "all homes and groups are back on the source; applications may stay behind the gateway")
	return nil
}

// gatewayBackBefore is of runs that are older than change.WithoutTarget.
func (b *rollback) gatewayBackBefore(ctx workflow.Context, steps []call.Action) error {
	for i, step := range steps {
		b.Detail(ctx, "%s", step.Summary)
		// a gateway that moved anything knows it already
		if i == 0 && change.Made(ctx, change.HealthyFirst) {
			err := workflow.ExecuteActivity(call.Within(ctx, b.Plan.Shift.FenceLimit(), step.Summary),
				step.Activity, step.Request).Get(ctx, nil)
			if err != nil && ctx.Err() != nil {
				return err
			}
			if err != nil {
				b.Note(ctx, "the gateways weren't told of the migration again: %s",
					call.RootMessage(err))
			}
			continue
		}
		if i == 1 && change.Made(ctx, change.Behind) {
			var groups, topics api.Names // of whom applications are asked for
			if b.in.Inventory != nil {
				groups, topics = b.in.Inventory.Readers(), b.in.Inventory.Topics()
			}
			if err := b.returnAuthority(ctx, step, groups, topics); err != nil {
				return err
			}
			continue
		}
		if err := b.ByGateway(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// stepsBack are the activities of the way back. What has to go back the gateways know: no inventory
// is needed, and no document.
func (b *rollback) stepsBack(ctx workflow.Context) ([]call.Action, error) {
	if !b.Bounded {
		return b.stepsBackBefore(ctx)
	}
	var gateways *activities.Gateways
	prepare := activities.PrepareRequest{Request: b.Request()}
	if b.in.Inventory != nil {
		prepare.Ordered = b.in.Inventory.Ordered()
	}
	onSource := activities.GroupsRequest{Request: b.Request(), Side: api.Source, All: true}
	homes := activities.HomesRequest{Request: b.Request(), All: true}
	return []call.Action{
		call.New("step 1: the gateway knows the migration", gateways.Prepare, prepare),
		call.New("step 2: the source says who members are", gateways.MoveAuthority, onSource),
		call.New("step 3: all queues have their home on the source", gateways.MoveHomes, homes),
		call.New("step 4: groups read on the source", gateways.MoveGroups, onSource),
	}, nil
}

// stepsBackBefore is of runs that are older than change.Bounded.
func (b *rollback) stepsBackBefore(ctx workflow.Context) ([]call.Action, error) {
	inventory, err := b.Inventory(ctx, b.in)
	if err != nil {
		return nil, err
	}
	var gateways *activities.Gateways
	prepare := activities.PrepareRequest{Request: b.Request(), Ordered: inventory.Ordered()}
	groups := inventory.Readers()
	onSource := activities.GroupsRequest{Request: b.Request(), Side: api.Source, Groups: groups}
	homes := activities.HomesRequest{Request: b.Request(), Topics: inventory.Topics()}
	return []call.Action{
		call.New("step 1: the gateway knows the migration", gateways.Prepare, prepare),
		call.New("step 2: the source says who members are", gateways.MoveAuthority, onSource),
		call.New("step 3: all queues have their home on the source", gateways.MoveHomes, homes),
		call.New("step 4: groups read on the source: "+api.Short(groups), gateways.MoveGroups, onSource),
	}, nil
}

// returnAuthority makes the source the side that says who members are. Gateways refuse that while
// members are connected to the target: then applications are asked to return behind the gateways,
// which they left in the end phase.
func (b *rollback) returnAuthority(ctx workflow.Context, move call.Action, groups, topics api.Names) error {
	err := move.Run(call.Within(ctx, moving.AuthorityTries, move.Summary))
	if err == nil || ctx.Err() != nil || call.Lasts(err) {
		return err
	}
	return b.AskBehind(ctx, move, err, groups, topics)
}
