package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// authorityTries is for how long the gateways are asked before applications are: a move under load
// takes seconds, and one that is refused is refused at once.
const authorityTries = 15 * time.Second

// returnAuthority makes the source the side that says who members are. Gateways refuse that while
// members are connected to the target: then applications are asked to return behind the gateways,
// which they left in the end phase.
func (d *desk) returnAuthority(ctx workflow.Context, move action, groups, topics []string) error {
	err := move.run(within(ctx, authorityTries, move.summary))
	if err == nil || ctx.Err() != nil || lasts(err) {
		return err
	}
	var gateways *activities.Gateways
	var at activities.Gateway
	if err := workflow.ExecuteActivity(quick(ctx, "where the gateways are"), gateways.Entrance,
		d.request()).Get(ctx, &at); err != nil {
		return err
	}
	d.forgetReleased()
	w := Waiting{
		Kind: WaitingRelease, Gate: "clients past the gateway", Groups: groups, Topics: topics,
		To: activities.Source, NameServers: []string{at.NameServer},
		Text: fmt.Sprintf("re-point all applications to the gateway (name server %s): %s",
			at.NameServer, rootMessage(err)),
	}
	return d.askRelease(ctx, w, func(ctx workflow.Context, _ bool) workflow.Future {
		return workflow.ExecuteActivity(quick(ctx, move.summary), move.activity, move.request)
	})
}
