package connect

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/instance"
	"rocketshift/internal/rocketmq"
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
	fleets      map[string]*control.Fleet
	translators map[translatorKey]*positions.Positions
	instances   map[string]api.Instance // that were bought, by name and hash of their plans
}

// translatorKey is what a translator belongs to: it remembers what it has read of the lanes.
type translatorKey struct {
	source, target *rocketmq.Cluster
	names          replica.Names
}

// NewPool returns an empty one; connections open when they are needed.
func NewPool() *Pool {
	return &Pool{
		open: map[string]*rocketmq.Cluster{}, fleets: map[string]*control.Fleet{},
		translators: map[translatorKey]*positions.Positions{}, instances: map[string]api.Instance{},
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
	// Limit bounds the calls per second to both sides together; nil means no bound.
	Limit *rate.Limiter
}

// Place is where a cluster is found.
type Place struct {
	Addresses []string
	Proxied   bool // they are the one of a proxy, not of name servers
	Part      rocketmq.Part
	reached   rocketmq.Addresses
}

// Open returns the cluster at a place. Credentials are looked up once: a changed key needs a
// restarted worker.
func (o Opener) Open(
	side api.Side, where Place, credentials *plan.Credentials, names rocketmq.Renames,
) (*rocketmq.Cluster, error) {
	c := o.Pool
	key := fmt.Sprint(strings.Join(where.Addresses, ","), where.Proxied, where.Part, where.reached, names)
	if credentials != nil {
		key += "|" + credentials.Env
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.open[key]; ok {
		return found, nil
	}
	keys, err := o.Secrets.Keys(string(side), credentials, plan.Hosts(where.Addresses, where.reached))
	if err != nil {
		return nil, fault.Of(side, fault.Denial(err))
	}
	client := rocketmq.NewClient(rocketmq.Options{
		Credentials: keys, Renames: names, Addresses: where.reached, Limit: o.Limit,
	})
	found := rocketmq.NewClusterOf(client, where.Addresses, where.Part)
	if where.Proxied {
		found = rocketmq.NewClusterBehind(client, where.Addresses[0])
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

// Source opens the plan's source.
func (o Opener) Source(p plan.Plan) (*clusters.One, error) {
	where := Place{
		Addresses: p.Source.NameServers,
		Part: rocketmq.Part{
			Cluster: p.Source.Cluster, LeftOut: p.Source.LeftOut, ReadSlaves: p.Source.ReadSlaves,
		},
		reached: p.Source.Advertised,
	}
	found, err := o.Open(api.Source, where, p.Source.Credentials, rocketmq.Renames{})
	if err != nil {
		return nil, err
	}
	return &clusters.One{Cluster: found, Side: api.Source}, nil
}

// Target opens the plan's target, which has to exist.
func (o Opener) Target(ctx context.Context, p plan.Plan) (*clusters.One, error) {
	where, err := o.WhereTarget(ctx, p)
	if err != nil {
		return nil, err
	}
	if where.Addresses == nil {
		return nil, Absent(p)
	}
	open, err := o.Open(api.Target, where, p.Target.Credentials, clusters.Renames(p.Target))
	if err != nil {
		return nil, err
	}
	return &clusters.One{Cluster: open, Side: api.Target}, nil
}

// WhereTarget asks the provider where the target is; one that is named in the plan needs no asking.
// Without addresses it isn't there.
func (o Opener) WhereTarget(ctx context.Context, p plan.Plan) (Place, error) {
	if p.Target.Provider == plan.ProviderExisting {
		part := rocketmq.Part{Cluster: p.Target.Cluster}
		return Place{p.Target.Addresses(), p.Target.Proxy != "", part, p.Target.Advertised}, nil
	}
	found, known := o.Pool.bought(p)
	if !known {
		is, there, err := o.Describe(ctx, p)
		if err != nil || !there {
			return Place{}, err
		}
		found = is
		o.Pool.remember(p, found)
	}
	return Place{Addresses: found.NameServers, Proxied: p.Target.Proxied()}, nil
}

// Describe asks the provider for the plan's target; there is false where it never provided one.
func (o Opener) Describe(ctx context.Context, p plan.Plan) (api.Instance, bool, error) {
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

// Both opens both sides of the plan, whose target has to exist.
func (o Opener) Both(ctx context.Context, p plan.Plan) (clusters.Both, error) {
	source, err := o.Source(p)
	if err != nil {
		return clusters.Both{}, err
	}
	target, err := o.Target(ctx, p)
	if err != nil {
		return clusters.Both{}, err
	}
	translator := o.Pool.translator(source.Cluster, target.Cluster, clusters.LaneNames(p))
	return clusters.Both{Plan: p, Source: source, Target: target, Translator: translator}, nil
}

// Absent says that the target isn't there; it may be on its way.
func Absent(p plan.Plan) error {
	return fault.Unreachable(api.Target, nil,
		"the target %s of provider %s doesn't exist or doesn't serve: run Purchase", p.Name, p.Target.Provider)
}

// At opens one side of the plan and finds its brokers.
func (o Opener) At(
	ctx context.Context, p plan.Plan, side api.Side,
) (*clusters.One, []rocketmq.Broker, error) {
	p = p.WithDefaults()
	var c *clusters.One
	var err error
	switch side {
	case api.Source:
		c, err = o.Source(p)
	case api.Target:
		c, err = o.Target(ctx, p)
	default:
		err = fault.Invalid("side %q: choose source or target", side)
	}
	if err != nil {
		return nil, nil, err
	}
	brokers, err := c.FindBrokers(ctx)
	return c, brokers, err
}

// bought is an instance of the cloud that was found before: it stays where it is, and the cloud
// isn't asked for it by each activity.
func (c *Pool) bought(p plan.Plan) (api.Instance, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, known := c.instances[p.Name+p.Hash()]
	return found, known
}

func (c *Pool) remember(p plan.Plan, found api.Instance) {
	if p.Target.Provider != plan.ProviderAliyun {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instances[p.Name+p.Hash()] = found
}
