package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/printable"
)

// Gateways moves homes and groups through the control APIs of the plan's gateways. Every activity
// says how things are to be, looks how they are, and moves what differs: a repeated one finds
// nothing to do.
type Gateways struct {
	settings Settings
	soaks    soaks
}

// NewGateways returns the activities of Shift and Rollback in mode gateway.
func NewGateways(s Settings) *Gateways { return &Gateways{settings: s.withDefaults()} }

const (
	// moveBudget is how long sends, or pulls, may wait in one move. Then everything is as it was,
	// and it is tried again.
	moveBudget = control.Duration(time.Second)
	// moveTries is how long a move is tried before people see why it isn't done.
	moveTries = 10 * time.Second
)

// PrepareRequest tells gateways what they must know of a migration.
type PrepareRequest struct {
	Request
	Ordered api.Names `json:"ordered"` // topics whose order must hold even while gateways can't agree
}

// Prepare tells the gateways the migration.
func (g *Gateways) Prepare(ctx context.Context, r PrepareRequest) (_ Gateway, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	ordered, err := g.settings.names(ctx, r.Request, r.Ordered)
	if err != nil {
		return Gateway{}, err
	}
	client, err := g.settings.clusters().Fleet(p)
	if err != nil {
		return Gateway{}, err
	}
	where, err := g.settings.clusters().WhereTarget(ctx, p)
	if err != nil {
		return Gateway{}, err
	}
	if where.Addresses == nil {
		return Gateway{}, connect.Absent(p)
	}
	names := clusters.LaneNames(p)
	m := control.Migration{
		Name: p.Name, LaneGroup: names.Group, Source: names.Source, Target: names.Target,
		Ordered: append([]string{}, ordered...), SourceCluster: p.Source.Cluster, LeftOut: p.Source.LeftOut,
	}
	if where.Proxied {
		m.Proxy = where.Addresses[0]
	} else {
		m.NameServers, m.Cluster = where.Addresses, where.Part.Cluster
	}
	state, err := client.Use(ctx, m)
	if err != nil {
		return Gateway{}, connect.ExplainGateway(ctx, err)
	}
	if unfit := fleet.UnfitClients(state, p); len(unfit) > 0 {
		return Gateway{}, fault.NotReady("%d clients can't follow to the target: %s", len(unfit), printable.Few(unfit))
	}
	return gatewayOf(state), nil
}

// MoveGroups makes groups read from a side: from the target only if that serves what their members
// ask for.
func (g *Gateways) MoveGroups(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	client, err := g.settings.clusters().Fleet(r.Plan)
	if err != nil {
		return err
	}
	groups, err := g.groupsToMove(ctx, client, r)
	if err != nil {
		return err
	}
	if r.Side == api.Target {
		both, err := g.settings.clusters().Both(ctx, r.Plan.WithDefaults())
		if err != nil {
			return err
		}
		if err := consumers.Accepts(ctx, both, groups); err != nil {
			return err
		}
	}
	var held fleet.HeldUp
	for i, group := range groups {
		activity.RecordHeartbeat(ctx, i)
		move := control.Move{
			Kind: control.KindSide, To: string(r.Side), Groups: []string{group},
			WithoutTarget: r.WithoutTarget,
		}
		if err := held.Take(g.move(ctx, client, r.Request, fmt.Sprint("group-", i), move)); err != nil {
			return err
		}
		if held.Enough() {
			break
		}
	}
	return outcomeOf(ctx, &held, g.settings, r.Request, r.Asked)
}

// groupsToMove are those of the request, or all of the plan that read some of their queues on
// another side than the request's.
func (g *Gateways) groupsToMove(
	ctx context.Context, client *control.Fleet, r GroupsRequest,
) ([]string, error) {
	if !r.All {
		return g.settings.groups(ctx, r)
	}
	state, err := client.State(ctx)
	if err != nil {
		return nil, connect.ExplainGateway(ctx, err)
	}
	p := r.Plan.WithDefaults()
	var groups []string
	for _, of := range state.Groups {
		elsewhere := of.Target
		if r.Side == api.Target {
			elsewhere = of.Source
		}
		if elsewhere > 0 && p.Groups.Match(of.Group) {
			groups = append(groups, of.Group)
		}
	}
	return groups, nil
}

// move carries one move out. That applications hold it up, as they bypass the gateways, is said by
// the gateway's own error: see HeldUp.
func (g *Gateways) move(ctx context.Context, client *control.Fleet, r Request, id string, m control.Move) error {
	info := activity.GetInfo(ctx)
	m.ID = fmt.Sprintf("%s-%s-%s-%d-%s", r.Plan.Name, info.WorkflowExecution.RunID, info.ActivityID, info.Attempt, id)
	m.Reason, m.Budget = fmt.Sprintf("migration %s, workflow %s", r.Plan.Name, info.WorkflowExecution.ID), moveBudget
	if m.WithoutTarget {
		m.By, m.Budget = info.WorkflowExecution.ID, returnBudget
	}
	trying, cancel := context.WithTimeout(ctx, moveTries)
	defer cancel()
	_, err := client.MoveUntilDone(trying, m)
	var refusal *control.RefusedError
	if err == nil || errors.As(err, &refusal) && refusal.Bypassing.Any() {
		return err
	}
	// which is the cause, and hides behind time-outs
	if _, _, dead := g.settings.clusters().At(ctx, r.Plan, api.Target); dead != nil {
		return dead
	}
	return connect.ExplainGateway(ctx, err)
}

// MoveAuthority makes a side the one that says who the members of groups are. Groups follow to the
// target with queues that they began to read after they had moved, as those of a topic that is new
// to them.
func (g *Gateways) MoveAuthority(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	client, err := g.settings.clusters().Fleet(r.Plan)
	if err != nil {
		return err
	}
	if r.Side == api.Target {
		state, err := client.State(ctx)
		if err != nil {
			return connect.ExplainGateway(ctx, err)
		}
		rest := r
		rest.Groups, rest.But, rest.All = api.Some(fleet.PartlyMoved(state)...), nil, false
		if err := g.MoveGroups(ctx, rest); err != nil {
			return err
		}
	}
	var held fleet.HeldUp
	if err := held.Take(g.move(ctx, client, r.Request, "authority", control.Move{
		Kind: control.KindAuthority, To: string(r.Side), WithoutTarget: r.WithoutTarget,
	})); err != nil {
		return err
	}
	return outcomeOf(ctx, &held, g.settings, r.Request, r.Asked)
}

// AwaitEmpty waits until no client is behind the gateway any more.
func (g *Gateways) AwaitEmpty(ctx context.Context, r Request) (err error) {
	defer explained(&err)
	client, err := g.settings.clusters().Fleet(r.Plan)
	if err != nil {
		return err
	}
	return waiting{}.until(ctx, func() error {
		state, err := client.State(ctx)
		if err != nil {
			return connect.ExplainGateway(ctx, err)
		}
		var left []string
		for _, c := range state.Clients {
			left = append(left, c.ID+" at "+c.Address)
		}
		if len(left) > 0 {
			return fault.NotReady("%d clients are still behind the gateway: %s", len(left), printable.Few(left))
		}
		return nil
	})
}

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

func gatewayOf(state control.State) Gateway {
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
