package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/gateway"
)

// ReachedRequest asks how far steps behind gateways have come already.
type ReachedRequest struct {
	Request
	Topics api.Names `json:"topics"`
	Steps  []int     `json:"steps"` // percent of the topics' queues whose home is the target, rising
}

// Reached is how far steps have come by what the gateways say, whoever made them.
type Reached struct {
	// Step is the highest step of which all homes are on the target; 0 if there is none. The steps
	// before it were made.
	Step int `json:"step"`
	// Authority is the side that says who members are. The target does after the last step alone.
	Authority api.Side `json:"authority,omitempty"`
	Homes     int      `json:"homes"` // queues whose home is the target
}

// Reached looks how far earlier runs have come. A step that is made again behind a later one would
// take homes back.
func (g *Gateways) Reached(ctx context.Context, r ReachedRequest) (_ Reached, err error) {
	defer explained(&err)
	state, err := g.settings.clusters().GatewayState(ctx, r.Plan.WithDefaults())
	if err != nil {
		return Reached{}, err
	}
	found := Reached{Authority: api.Side(state.Authority)}
	if len(state.Homes.Away) == 0 {
		return found, nil
	}
	topics, err := lists.Resolve(ctx, g.settings.Store, r.Topics)
	if err != nil {
		return Reached{}, err
	}
	lanes, err := g.settings.lanesOf(ctx, r.Request, topics, clusters.Both.Layout)
	if err != nil {
		return Reached{}, err
	}
	away := map[gateway.TopicQueue]bool{}
	for _, q := range state.Homes.Away {
		away[q] = true
	}
	for _, lane := range lanes {
		if away[gateway.TopicQueue{Topic: lane.Topic, Queue: lane.Source}] {
			found.Homes++
		}
	}
	found.Step = fleet.Reached(found.Homes, len(lanes), r.Steps)
	return found, nil
}
