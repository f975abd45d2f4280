package inventory

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/findings"
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
		return []api.Finding{findings.GatewayUnreachable.Warning(object, "", "%s", err)}
	}
	var all []api.Finding
	if unfit := fleet.UnfitClients(state, inv.plan); len(unfit) > 0 {
		all = append(all, findings.GatewayKeys.Warning(object, "",
			"%d clients can't follow to the target: %s", len(unfit), printable.Few(unfit)))
	}
	if past := fleet.PastGateway(state, inv.groupNames(), inv.online, inv.producers); len(past) > 0 {
		all = append(all, findings.GatewayBypassed.Warning(object,
			"give them the gateway as their name server before the shift; their groups can't move before",
			"%d clients are connected past it: %s", len(past), printable.Few(past)))
	}
	return append(all, inv.gatewayVIPFindings(state)...)
}
