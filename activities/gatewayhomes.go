package activities

import (
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/gateway"
	"rocketshift/replicator/lane"
)

// homesTogether is how many queues move at once: the more, the longer each of them waits for the
// last.
const homesTogether = 8

// HomesRequest asks for so many percent of the topics' queues to have their home on the target.
type HomesRequest struct {
	Request
	Topics  api.Names `json:"topics"`
	Percent int       `json:"percent"`
	// All asks, instead of Topics, for all topics that the plan selects and gateways know; with
	// Percent 0 alone.
	All bool `json:"all,omitempty"`
	// WithoutTarget is as in GroupsRequest; with Percent 0 alone.
	WithoutTarget bool `json:"withoutTarget,omitempty"`
	// Nobody asks, with Percent 0, that no producer writes to the topics on the target without a
	// gateway either, whose messages would lie there.
	Nobody bool `json:"nobody,omitempty"`
	// Asked is as in GroupsRequest.
	Asked *Bypassing `json:"asked,omitempty"`
}

// Homes is how many queues have their home on the target.
type Homes struct {
	Target int `json:"target"`
	Queues int `json:"queues"` // of all topics; 0 where none is to have its home there
}

// MoveHomes gives the first so many percent of the queues their home on the target, and all others
// on the source. They are counted across topics: every topic gets its first queue before any gets
// its second.
func (g *Gateways) MoveHomes(ctx context.Context, r HomesRequest) (_ Homes, err error) {
	defer explained(&err)
	client, err := g.settings.clusters().Fleet(r.Plan)
	if err != nil {
		return Homes{}, err
	}
	state, err := client.State(ctx)
	if err != nil {
		return Homes{}, connect.ExplainGateway(ctx, err)
	}
	topics, err := lists.Resolve(ctx, g.settings.Store, r.Topics)
	if err != nil {
		return Homes{}, err
	}
	ours := func(topic string) bool { return slices.Contains(topics, topic) }
	if r.All && r.Percent == 0 {
		ours = r.Plan.WithDefaults().Topics.Match
	}
	var lanes []lane.Lane
	toTarget, toSource := []gateway.TopicQueue(nil), fleet.HomesOf(ours, state.Homes.Away)
	if r.Percent > 0 { // all go to the source without a look at the target, which may not answer
		if lanes, err = g.settings.lanesOf(ctx, r.Request, topics, clusters.Both.MovableLayout); err != nil {
			return Homes{}, err
		}
		toTarget, toSource = fleet.HomesToMove(lanes, r.Percent, state.Homes.Away)
	}
	var held fleet.HeldUp
	for _, part := range []struct {
		to     api.Side
		queues []gateway.TopicQueue
	}{{api.Source, toSource}, {api.Target, toTarget}} {
		if err := g.moveHomes(ctx, client, r, part.to, part.queues, &held); err != nil {
			return Homes{}, err
		}
	}
	if r.Nobody && !r.WithoutTarget {
		held.Producers(state, ours)
	}
	return Homes{Target: fleet.PercentOf(len(lanes), r.Percent), Queues: len(lanes)},
		outcomeOf(ctx, &held, g.settings, r.Request, r.Asked)
}

// moveHomes gives queues their home on a side, some at a time, but for those that producers hold
// up.
func (g *Gateways) moveHomes(
	ctx context.Context, client *gateway.Fleet, r HomesRequest, to api.Side, queues []gateway.TopicQueue,
	held *fleet.HeldUp,
) error {
	together := homesTogether
	if r.WithoutTarget {
		together = returnedTogether
	}
	for i, some := range slices.Collect(slices.Chunk(queues, together)) {
		activity.RecordHeartbeat(ctx, i)
		move := gateway.Move{
			Kind: gateway.KindHome, To: string(to), Queues: some, WithoutTarget: r.WithoutTarget,
		}
		err := g.move(ctx, client, r.Request, fmt.Sprintf("homes-%s-%d", to, i), move)
		if err = held.Take(err); err != nil || held.Enough() {
			return err
		}
	}
	return nil
}

// lanesOf pairs the queues of the request's topics, as one of the looks at both sides sees them.
func (s Settings) lanesOf(
	ctx context.Context, r Request, topics []string, look func(clusters.Both, context.Context) (clusters.Layout, error),
) ([]lane.Lane, error) {
	both, err := s.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	l, err := look(both, ctx)
	if err != nil {
		return nil, err
	}
	return l.AllLanes(topics)
}
