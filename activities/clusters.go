package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/gateway"
	"rocketshift/internal/instance"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// Pool are the open connections to both sides and to gateways, shared by all activities of a
// process. Connections are pooled below, go away by themselves when idle, and are made anew when
// needed, so a side stays here until the worker stops.
type Pool struct {
	mu          sync.Mutex
	open        map[string]*rocketmq.Cluster
	fleets      map[string]*gateway.Fleet
	translators map[translatorKey]*positions.Positions
}

// translatorKey is what a translator belongs to: it remembers what it has read of the lanes.
type translatorKey struct {
	source, target *rocketmq.Cluster
	names          replica.Names
}

// NewPool returns an empty one; connections open when they are needed.
func NewPool() *Pool {
	return &Pool{
		open: map[string]*rocketmq.Cluster{}, fleets: map[string]*gateway.Fleet{},
		translators: map[translatorKey]*positions.Positions{},
	}
}

// Close closes every connection.
func (c *Pool) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, cluster := range c.open {
		cluster.Client().Close()
		delete(c.open, key)
	}
	clear(c.translators)
	clear(c.fleets)
}

// Opener opens the clusters of plans, and the control APIs of their gateways.
type Opener struct {
	Pool *Pool
	// Secrets are those of the worker's environment, with the hosts that they may be used with.
	Secrets *secrets.Store
	// Root is the folder below which targets run that are provided here.
	Root string
}

// place is where a cluster is found.
type place struct {
	addresses []string
	proxied   bool // they are the one of a proxy, not of name servers
	part      rocketmq.Part
	reached   rocketmq.Addresses
}

// open returns the cluster at a place. Credentials are looked up once: a changed key needs a
// restarted worker.
func (o Opener) open(
	side api.Side, where place, credentials *plan.Credentials, names rocketmq.Renames,
) (*rocketmq.Cluster, error) {
	c := o.Pool
	key := fmt.Sprint(strings.Join(where.addresses, ","), where.proxied, where.part, where.reached, names)
	if credentials != nil {
		key += "|" + credentials.Env
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.open[key]; ok {
		return found, nil
	}
	keys, err := o.Secrets.Keys(string(side), credentials, plan.Hosts(where.addresses, where.reached))
	if err != nil {
		return nil, fault.Of(side, fault.Denial(err))
	}
	client := rocketmq.NewClient(rocketmq.Options{
		Credentials: keys, Renames: names, Addresses: where.reached,
	})
	found := rocketmq.NewClusterOf(client, where.addresses, where.part)
	if where.proxied {
		found = rocketmq.NewClusterBehind(client, where.addresses[0])
	}
	c.open[key] = found
	return found, nil
}

// translator returns the positions of lanes between two clusters.
func (c *Pool) translator(source, target *rocketmq.Cluster, names replica.Names) *positions.Positions {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := translatorKey{source, target, names}
	if c.translators[key] == nil {
		c.translators[key] = positions.New(source, target, names)
	}
	return c.translators[key]
}

// renames are what the target calls topics and groups; the lanes' own groups have the same names
// everywhere.
func renames(t plan.Target) rocketmq.Renames {
	if t.Rename == nil {
		return rocketmq.Renames{}
	}
	return rocketmq.Renames{Prefix: t.Rename.Prefix, Topics: t.Rename.Topics, Groups: t.Rename.Groups, Keep: ownPrefix}
}

// laneNames are what the lanes of the plan go by.
func laneNames(p plan.Plan) replica.Names {
	return replica.Names{Group: p.LaneGroup(), Source: p.SourceID(), Target: p.TargetID()}
}

// cluster is one side, open.
type cluster struct {
	*rocketmq.Cluster
	side api.Side
}

// sides are both clusters of a plan, open.
type sides struct {
	plan           plan.Plan
	source, target *cluster
	translator     *positions.Positions
}

// at returns the cluster of a side.
func (s sides) at(side api.Side) *cluster {
	if side == api.Target {
		return s.target
	}
	return s.source
}

// about is the side that a call of a lane failed on, as lanes ask both; otherwise the given one.
func (s sides) about(otherwise api.Side, err error) *cluster {
	var failed *replica.SideError
	if errors.As(err, &failed) {
		otherwise = api.Side(failed.Side)
	}
	return s.at(otherwise)
}

// explain is what a call of a lane failed with: of the side that it failed on.
func (s sides) explain(ctx context.Context, err error) error {
	return s.about(api.Target, err).explain(ctx, err)
}

func (o Opener) source(p plan.Plan) (*cluster, error) {
	where := place{
		addresses: p.Source.NameServers,
		part: rocketmq.Part{
			Cluster: p.Source.Cluster, LeftOut: p.Source.LeftOut, ReadSlaves: p.Source.ReadSlaves,
		},
		reached: p.Source.Advertised,
	}
	found, err := o.open(api.Source, where, p.Source.Credentials, rocketmq.Renames{})
	if err != nil {
		return nil, err
	}
	return &cluster{found, api.Source}, nil
}

// target opens the plan's target, which has to exist.
func (o Opener) target(ctx context.Context, p plan.Plan) (*cluster, error) {
	where, err := o.whereTarget(ctx, p)
	if err != nil {
		return nil, err
	}
	if where.addresses == nil {
		return nil, absent(p)
	}
	open, err := o.open(api.Target, where, p.Target.Credentials, renames(p.Target))
	if err != nil {
		return nil, err
	}
	return &cluster{open, api.Target}, nil
}

// whereTarget asks the provider where the target is; one that is named in the plan needs no asking.
// Without addresses it isn't there.
func (o Opener) whereTarget(ctx context.Context, p plan.Plan) (place, error) {
	if p.Target.Provider == plan.ProviderExisting {
		part := rocketmq.Part{Cluster: p.Target.Cluster}
		return place{p.Target.Addresses(), p.Target.Proxy != "", part, p.Target.Advertised}, nil
	}
	found, there, err := o.describe(ctx, p)
	if err != nil {
		return place{}, err
	}
	if !there {
		return place{}, nil
	}
	return place{addresses: found.NameServers}, nil
}

func (o Opener) describe(ctx context.Context, p plan.Plan) (api.Instance, bool, error) {
	provider, err := instance.For(p, o.Root, o.Secrets)
	if err != nil {
		return api.Instance{}, false, fault.Invalid("target.provider %q: %v", p.Target.Provider, err)
	}
	found, there, err := provider.Describe(ctx, p)
	if denied := fault.Denial(err); denied != nil {
		return found, false, fault.Of(api.Target, denied)
	}
	if err != nil {
		return found, false, fault.Unreachable(api.Target, err, "the target of provider %s can't be described: %v",
			p.Target.Provider, err)
	}
	return found, there, nil
}

func (o Opener) both(ctx context.Context, p plan.Plan) (sides, error) {
	source, err := o.source(p)
	if err != nil {
		return sides{}, err
	}
	target, err := o.target(ctx, p)
	if err != nil {
		return sides{}, err
	}
	translator := o.Pool.translator(source.Cluster, target.Cluster, laneNames(p))
	return sides{p, source, target, translator}, nil
}

// absent says that the target isn't there; it may be on its way.
func absent(p plan.Plan) error {
	return fault.Unreachable(api.Target, nil,
		"the target %s of provider %s doesn't exist or doesn't serve: run Purchase", p.Name, p.Target.Provider)
}

// explain turns what a call to this side failed with into an error that says what people can do,
// and how Temporal goes on.
func (c *cluster) explain(ctx context.Context, err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return err
	case remoting.Denied(err): // nobody here pulls for an application's group
		return fault.Of(
			c.side,
			fault.AccessDenied(
				err,
				"the %s refuses the credentials: %v: correct the keys, or grant what the call needs; "+
					"rocketshift goes on by itself",
				c.side,
				err,
			),
		)
	case remoting.Unreachable(err):
		return fault.Unreachable(
			c.side,
			err,
			"the %s at %s doesn't answer: %v: start it or make it reachable (%s.addresses, if a broker "+
				"advertises an address that doesn't lead there from here), rocketshift goes on by itself",
			c.side,
			strings.Join(c.NameServers(), ", "),
			err,
			c.side,
		)
	default:
		return fault.Of(c.side, fault.Again(fault.KindCallFailed, fault.PollAgain, err, "%s: %v", c.side, err))
	}
}
