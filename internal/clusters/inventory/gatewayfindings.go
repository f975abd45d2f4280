package inventory

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/printable"
	"rocketshift/plan"
)

// gatewayFindings is what would hold up the shift, as far as the gateway knows it now. None of it
// stops what comes before.
func (inv *look) gatewayFindings(ctx context.Context, o connect.Opener) []api.Finding {
	if inv.plan.Traffic.Mode != plan.ModeGateway {
		return nil
	}
	const object = api.GatewayObject
	client, err := o.Fleet(inv.plan)
	var state control.State
	if err == nil {
		state, err = client.State(ctx)
	}
	if err != nil {
		return []api.Finding{
			{
				Object: object,
				Cause:  err.Error(),
				Next:   "start it, and give it to applications as their name server, before the shift",
			},
		}
	}
	var all []api.Finding
	if unfit := fleet.UnfitClients(state, inv.plan); len(unfit) > 0 {
		all = append(all, api.Finding{
			Object: object,
			Cause:  fmt.Sprintf("%d clients can't follow to the target: %s", len(unfit), printable.Few(unfit)),
			Next:   "give the gateway their access keys in the file of --keys, and the target their accounts",
		})
	}
	if past := fleet.PastGateway(state, inv.groups.Selected(inv.plan), inv.online, inv.producers); len(past) > 0 {
		all = append(all, api.Finding{
			Object: object,
			Cause:  fmt.Sprintf("%d clients are connected past it: %s", len(past), printable.Few(past)),
			Next:   "give them the gateway as their name server before the shift; their groups can't move before",
		})
	}
	return append(all, inv.gatewayVIPFindings(state)...)
}
