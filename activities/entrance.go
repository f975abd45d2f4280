package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/gateway"
)

// Gateway is how a gateway stands before a move.
type Gateway struct {
	NameServer string `json:"nameServer"` // what applications have as theirs
	Clients    int    `json:"clients"`
	Homes      int    `json:"homes"` // queues whose home is the target
	// Authority is the side that says who members are: Target once applications may be there.
	Authority api.Side `json:"authority,omitempty"`
	// Groups and Topics are those of the plan whose applications may be at the target then, in the
	// answer of Entrance alone: they read there, or have homes there.
	Groups api.Names `json:"groups,omitzero"`
	Topics api.Names `json:"topics,omitzero"`
}

func gatewayOf(state gateway.State) Gateway {
	return Gateway{
		NameServer: state.NameServer, Clients: len(state.Clients), Homes: state.Homes.Target,
		Authority: api.Side(state.Authority),
	}
}

// Entrance is how the gateways stand, and what applications have as their name server.
func (g *Gateways) Entrance(ctx context.Context, r Request) (_ Gateway, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	state, err := g.settings.clusters().GatewayState(ctx, p)
	if err != nil {
		return Gateway{}, err
	}
	at := gatewayOf(state)
	if at.Authority != api.Target {
		return at, nil
	}
	groups, topics := map[string]bool{}, map[string]bool{}
	for _, of := range state.Groups {
		if of.Target > 0 && p.Groups.Match(of.Group) {
			groups[of.Group] = true
		}
	}
	for _, q := range state.Homes.Away {
		if p.Topics.Match(q.Topic) {
			topics[q.Topic] = true
		}
	}
	at.Groups = named(ctx, g.settings, r, "groups at the target", groups)
	at.Topics = named(ctx, g.settings, r, "topics at the target", topics)
	return at, nil
}
