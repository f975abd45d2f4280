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
	"rocketshift/internal/gateway/control"
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
	topics, err := g.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return Homes{}, err
	}
	ours := func(topic string) bool { return slices.Contains(topics, topic) }
	if r.All && r.Percent == 0 {
		ours = r.Plan.WithDefaults().Topics.Match
	}
	var lanes []lane.Lane
	toTarget, toSource := []control.TopicQueue(nil), fleet.HomesOf(ours, state.Homes.Away)
	if r.Percent > 0 { // all go to the source without a look at the target, which may not answer
		if lanes, err = g.settings.lanesOf(ctx, r.Request, topics, clusters.Both.MovableLayout); err != nil {
			return Homes{}, err
		}
		toTarget, toSource = fleet.HomesToMove(lanes, r.Percent, state.Homes.Away)
	}
	var held fleet.HeldUp
	for _, part := range []struct {
		to     api.Side
		queues []control.TopicQueue
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
	ctx context.Context, client *control.Fleet, r HomesRequest, to api.Side, queues []control.TopicQueue,
	held *fleet.HeldUp,
) error {
	together := homesTogether
	if r.WithoutTarget {
		together = returnedTogether
	}
	for i, some := range slices.Collect(slices.Chunk(queues, together)) {
		activity.RecordHeartbeat(ctx, i)
		move := control.Move{
			Kind: control.KindHome, To: string(to), Queues: some, WithoutTarget: r.WithoutTarget,
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
	return fleet.OwedOf(slices.DeleteFunc(slices.Clone(state.Owed), func(q control.OwedQueue) bool {
		return !ours(q.Topic)
	}), ordered), nil
}

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
	topics, err := g.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return Reached{}, err
	}
	lanes, err := g.settings.lanesOf(ctx, r.Request, topics, clusters.Both.Layout)
	if err != nil {
		return Reached{}, err
	}
	away := map[control.TopicQueue]bool{}
	for _, q := range state.Homes.Away {
		away[q] = true
	}
	for _, lane := range lanes {
		if away[control.TopicQueue{Topic: lane.Topic, Queue: lane.Source}] {
			found.Homes++
		}
	}
	found.Step = fleet.Reached(found.Homes, len(lanes), r.Steps)
	return found, nil
}
