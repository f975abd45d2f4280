package activities

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/gateway"
	"rocketshift/internal/printable"
	"rocketshift/plan"
)

// unfitClients are the clients behind a gateway that the target wouldn't serve, and which share in
// what the plan moves: of others nothing depends on them.
func unfitClients(s gateway.State, p plan.Plan) (all []string) {
	for _, c := range s.Clients {
		shares := slices.ContainsFunc(c.Groups, p.Groups.Match) || slices.ContainsFunc(c.Topics, p.Topics.Match)
		if c.Problem != "" && shares {
			all = append(all, fmt.Sprintf("%s at %s %s", c.ID, c.Address, c.Problem))
		}
	}
	return all
}

// gatewayFindings is what would hold up the shift, as far as the gateway knows it now. None of it
// stops what comes before.
func (inv *inventory) gatewayFindings(ctx context.Context, s Settings) []api.Finding {
	if inv.plan.Traffic.Mode != plan.ModeGateway {
		return nil
	}
	const object = api.GatewayObject
	client, err := s.clusters().Fleet(inv.plan)
	var state gateway.State
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
	if unfit := unfitClients(state, inv.plan); len(unfit) > 0 {
		all = append(all, api.Finding{
			Object: object,
			Cause:  fmt.Sprintf("%d clients can't follow to the target: %s", len(unfit), printable.Few(unfit)),
			Next:   "give the gateway their access keys in the file of --keys, and the target their accounts",
		})
	}
	if past := pastGateway(state, inv.groups.Selected(inv.plan), inv.online, inv.producers); len(past) > 0 {
		all = append(all, api.Finding{
			Object: object,
			Cause:  fmt.Sprintf("%d clients are connected past it: %s", len(past), printable.Few(past)),
			Next:   "give them the gateway as their name server before the shift; their groups can't move before",
		})
	}
	return append(all, inv.gatewayVIPFindings(state)...)
}
