package gateway

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// meant makes what is needed to carry a migration out.
func (g *Gateway) meant(m control.Migration) *replicas.Migration {
	credentials := cmp.Or(g.config.OnTarget, g.config.Credentials)
	client := rocketmq.NewClient(rocketmq.Options{Credentials: credentials, Dial: g.sides.Dials[routing.Target]})
	c := rocketmq.NewClusterOf(client, m.NameServers, rocketmq.Part{Cluster: m.Cluster})
	if m.Proxy != "" {
		c = rocketmq.NewClusterBehind(client, m.Proxy)
	}
	names := replica.Names{Group: m.LaneGroup, Source: m.Source, Target: m.Target}
	ordered := map[string]bool{}
	for _, topic := range m.Ordered {
		ordered[topic] = true
	}
	return &replicas.Migration{
		Migration: m, TargetCluster: c, Positions: positions.New(g.sides.Source, c, names),
		Others: m.OthersThan(g.config.Name), OrderedTopics: ordered,
	}
}

// Use tells the gateway the migration that it is for. What is wrong with it is found before
// anything is done: then everything is as it was. While anything is away from the source, the
// clusters stay what they are. It waits for a move that this gateway leads, and is refused during a
// round that another one leads.
func (g *Gateway) Use(ctx context.Context, m control.Migration) error {
	if err := m.Check(g.config.Name); err != nil {
		return err
	}
	g.moves.one.Lock()
	defer g.moves.one.Unlock()
	now := g.sides.Migration.Load()
	// else what is known of the lanes, and the connections, stay
	if now == nil || !reflect.DeepEqual(now.Migration, m) {
		next := g.meant(m)
		if err := g.replaceAlone(ctx, now, next); err != nil {
			next.TargetCluster.Client().Close()
			return err
		}
	}
	if err := g.look(ctx); err != nil { // it looks again; what isn't known by then isn't moved
		g.log.Warn("what the clusters have can't be read yet", "migration", m.Name, "cause", err)
	}
	_ = g.checks.LookAtWhiteLists(ctx) // those of the target hold up its first move
	g.sync(ctx)
	g.lease.Renew(g.ctx)
	g.clients.ports.accept(g.clients)
	for _, s := range g.clients.registry.all() { // the target should know everybody before anything moves
		s.mirrorBeat()
	}
	_ = g.save() // what was found; that it can't be written is said, and tried again
	return nil
}

// replaceAlone is replace while no round is under way: what that brings to the target would be of
// another migration than it was prepared for. Only the list of gateways may change while the end of
// a round is in doubt, as whoever knows how it ended may be gone for good.
func (g *Gateway) replaceAlone(ctx context.Context, now, next *replicas.Migration) error {
	id := "migration " + next.Name
	round, doubt := g.rounds.Occupy(id, g.config.Name)
	switch {
	case round == "":
		defer g.rounds.Vacate(id)
	case !doubt || !now.SameLanes(next):
		return control.Refused("gateway %s takes part in round %s: wait until that has ended", g.config.Name, round)
	}
	return g.replace(ctx, now, next)
}

// replace makes another migration, or another version of it, the gateway's.
func (g *Gateway) replace(ctx context.Context, now, next *replicas.Migration) error {
	if now != nil && g.table.AnythingOnTarget() {
		if err := g.sameClusters(ctx, now, next); err != nil {
			return err
		}
	}
	if next.Proxy == "" { // a proxy knows brokers by the topics that are asked for
		if _, err := next.TargetCluster.Brokers(ctx); err != nil {
			return fmt.Errorf("migration %s: its target: %w", next.Name, err)
		}
	}
	if now != nil {
		if err := g.lease.Evict(ctx, now.Without(next.Migration)); err != nil {
			return err
		}
	}
	g.sides.Intended.Store(&next.Migration)
	err := g.save()
	if err == nil {
		g.sides.Migration.Store(next)
	}
	g.sides.Intended.Store(nil)
	if err != nil {
		_ = g.save() // what failed may yet be on disk
	}
	return err
}

// sameClusters refuses another migration, and other clusters under the names of these, while homes
// or groups are on the target.
func (g *Gateway) sameClusters(ctx context.Context, now, next *replicas.Migration) error {
	const back = "homes or groups are still on the target: move them back first"
	if now.Name != next.Name || now.LaneGroup != next.LaneGroup || now.Source != next.Source ||
		now.Target != next.Target {
		return fmt.Errorf("migration %s (lanes %s, from %s to %s) instead of %s (lanes %s, from %s to %s): %s",
			next.Name, next.LaneGroup, next.Source, next.Target, now.Name, now.LaneGroup, now.Source, now.Target, back)
	}
	if now.SameTarget(next.Migration) {
		return nil
	}
	if now.Proxy != "" || next.Proxy != "" { // nothing tells whether the same cluster is behind it
		return fmt.Errorf("migration %s: the target's proxy %q instead of %q: %s", next.Name, next.Proxy,
			now.Proxy, back)
	}
	there, err := next.TargetCluster.Brokers(ctx)
	if err != nil {
		return fmt.Errorf("migration %s: its target: %w", next.Name, err)
	}
	for _, name := range *g.sides.Targets.Load() {
		if !g.used(name) {
			continue
		}
		i := slices.IndexFunc(there, func(b rocketmq.Broker) bool { return b.Name == name })
		if i < 0 {
			return fmt.Errorf("migration %s: the cluster at %v has no broker %s: %s", next.Name,
				next.NameServers, name, back)
		}
		if slices.Contains(g.clients.addresses(routing.Dest{Side: routing.Target, Broker: name}),
			rocketmq.ServerOf(there[i].Addr)) {
			continue
		}
		l := replicas.Lanes{Migration: next, Clusters: [2]*rocketmq.Cluster{g.sides.Source, next.TargetCluster}}
		if err := g.holdsCopies(ctx, l, name); err != nil {
			return fmt.Errorf(
				"migration %s: broker %s of the cluster at %v is at %s, where it never was, and nothing "+
					"shows that it is the same one: %w; %s",
				next.Name,
				name,
				next.NameServers,
				there[i].Addr,
				err,
				back,
			)
		}
	}
	return nil
}

const (
	// copiesLooked is how many queues of a broker are looked at for copies, and copiesRead how many
	// messages at the begin and the end of each.
	copiesLooked, copiesRead = 8, 32
)

// holdsCopies makes sure that a target broker holds copies that the migration's lanes have made, in
// queues that something is on.
func (g *Gateway) holdsCopies(ctx context.Context, l replicas.Lanes, broker string) error {
	looked := 0
	for _, q := range g.queuesOn(broker) {
		if looked++; looked > copiesLooked {
			break
		}
		first, err := l.First(ctx, q, routing.Target)
		if err != nil {
			return err
		}
		for _, from := range []int64{first, max(first, q.Acked(routing.Target)-copiesRead)} {
			found, err := l.Read(ctx, q, routing.Target, from, copiesRead)
			if err != nil {
				return err
			}
			for i := range found {
				stamp, is := replica.ParseStamp(found[i].Properties)
				if is && stamp.Cluster == l.Migration.Source && stamp.Topic == q.Topic && stamp.Broker == q.Broker &&
					stamp.Queue == q.ID {
					return nil
				}
			}
		}
	}
	return fmt.Errorf("no copy of this migration's lanes was found in %d queues there", min(looked, copiesLooked))
}
