package activities

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/gateway"
)

const (
	// returnedTogether is how many queues return at once without the target: nothing is waited for,
	// and each move is written to disk once.
	returnedTogether = 1000
	// returnBudget is for a return without the target: each gateway takes up to half a second to
	// see that this doesn't answer.
	returnBudget = 2 * moveBudget
)

// OwedRequest asks for what is owed.
type OwedRequest struct {
	Request
	Ordered api.Names `json:"ordered,omitzero"` // the ordered topics, as far as they are known
}

// Owed is what the target owes, by what the gateways know.
func (g *Gateways) Owed(ctx context.Context, r OwedRequest) (_ fleet.Owed, err error) {
	defer explained(&err)
	client, err := g.settings.clusters().Fleet(r.Plan)
	if err != nil {
		return fleet.Owed{}, err
	}
	state, err := client.State(ctx)
	if err != nil {
		return fleet.Owed{}, connect.ExplainGateway(ctx, err)
	}
	ordered, err := lists.Resolve(ctx, g.settings.Store, r.Ordered)
	if err != nil { // a name less is told
		ordered = nil
	}
	ours := r.Plan.WithDefaults().Topics.Match
	return fleet.OwedOf(slices.DeleteFunc(slices.Clone(state.Owed), func(q gateway.OwedQueue) bool {
		return !ours(q.Topic)
	}), ordered), nil
}
