package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// Migration is what the gateway must know to move anything: the other cluster, and the names that the lanes' copies are stamped with.
type Migration struct {
	Name        string   `json:"name"`
	LaneGroup   string   `json:"laneGroup"`
	Source      string   `json:"source"` // ids of both clusters in stamps
	Target      string   `json:"target"`
	NameServers []string `json:"nameServers"` // of the target
	// Proxy is the remoting port of the target's 5.x proxy, host:port, where its brokers can't be reached; then without NameServers.
	Proxy string `json:"proxy,omitempty"`
	// Gateways are all of the migration, this one among them; none if it is the only one.
	Gateways []Peer `json:"gateways,omitempty"`
	// Ordered are the topics whose order must hold even while gateways can't agree; nil: all.
	Ordered []string `json:"ordered"`
}

func (m Migration) check(gateway string) error {
	switch {
	case m.Name == "" || m.LaneGroup == "" || m.Source == "" || m.Target == "":
		return errors.New("migration: name, laneGroup, source and target must be given")
	case (len(m.NameServers) == 0) == (m.Proxy == ""):
		return errors.New("migration: either nameServers of the target or proxy must be given")
	}
	names := map[string]bool{}
	for _, p := range m.Gateways {
		if p.Name == "" || p.Control == "" || names[p.Name] {
			return fmt.Errorf("migration: gateways: each needs a name of its own and the address of its control API; %q at %q", p.Name, p.Control)
		}
		names[p.Name] = true
	}
	if len(names) > 0 && !names[gateway] {
		return fmt.Errorf("migration: gateways doesn't name this one, %s", gateway)
	}
	return nil
}

// without are the other gateways of the migration that aren't of another version of it.
func (m *migration) without(next Migration) (gone []Peer) {
	for _, p := range m.others {
		if !slices.ContainsFunc(next.Gateways, func(o Peer) bool { return o.Name == p.Name }) {
			gone = append(gone, p)
		}
	}
	return gone
}

// migration is one with what is needed to carry it out.
type migration struct {
	Migration
	target    *rocketmq.Cluster
	positions *replicator.Positions
	others    []Peer // the other gateways
	ordered   map[string]bool
}

// meant makes what is needed to carry a migration out.
func (g *Gateway) meant(m Migration) *migration {
	credentials := cmp.Or(g.config.OnTarget, g.config.Credentials)
	client := rocketmq.NewClient(rocketmq.Options{Credentials: credentials, Dial: g.dials[target]})
	c := rocketmq.NewCluster(client, m.NameServers)
	if m.Proxy != "" {
		c = rocketmq.NewClusterBehind(client, m.Proxy)
	}
	names := replicator.Names{Group: m.LaneGroup, Source: m.Source, Target: m.Target}
	ordered := map[string]bool{}
	for _, topic := range m.Ordered {
		ordered[topic] = true
	}
	return &migration{m, c, replicator.NewPositions(g.source, c, names), m.othersThan(g.config.Name), ordered}
}

// ordered reports whether a topic's order must hold even while gateways can't agree.
func (g *Gateway) ordered(topic string) bool {
	m := g.migration.Load()
	return m != nil && (m.Ordered == nil || m.ordered[topic])
}

// Use tells the gateway the migration that it is for. What is wrong with it is found before anything is done: then everything is as it was.
// While anything is away from the source, the clusters stay what they are.
func (g *Gateway) Use(ctx context.Context, m Migration) error {
	if err := m.check(g.config.Name); err != nil {
		return err
	}
	now := g.migration.Load()
	if now == nil || !reflect.DeepEqual(now.Migration, m) { // else what is known of the lanes, and the connections, stay
		next := g.meant(m)
		if err := g.replace(ctx, now, next); err != nil {
			next.target.Client().Close()
			return err
		}
	}
	if err := g.look(ctx); err != nil { // it looks again; what isn't known by then isn't moved
		g.log.Warn("what the clusters have can't be read yet", "migration", m.Name, "cause", err)
	}
	g.sync(ctx)
	g.renewLease()
	g.ports.accept(g)
	for _, s := range g.all() { // the target should know everybody before anything moves
		s.mirrorBeat()
	}
	return g.save()
}

// replace makes another migration, or another version of it, the gateway's.
func (g *Gateway) replace(ctx context.Context, now, next *migration) error {
	if now != nil && g.anythingOnTarget() {
		if err := g.sameClusters(ctx, now, next); err != nil {
			return err
		}
	}
	if next.Proxy == "" { // a proxy knows brokers by the topics that are asked for
		if _, err := next.target.Brokers(ctx); err != nil {
			return fmt.Errorf("migration %s: its target: %w", next.Name, err)
		}
	}
	if now != nil {
		if err := g.evict(ctx, now.without(next.Migration)); err != nil {
			return err
		}
	}
	g.migration.Store(next)
	if err := g.save(); err != nil {
		g.migration.Store(now)
		return err
	}
	return nil
}

// sameClusters refuses another migration, and other clusters under the names of these, while homes or groups are on the target.
func (g *Gateway) sameClusters(ctx context.Context, now, next *migration) error {
	const back = "homes or groups are still on the target: move them back first"
	if now.Name != next.Name || now.LaneGroup != next.LaneGroup || now.Source != next.Source || now.Target != next.Target {
		return fmt.Errorf("migration %s (lanes %s, from %s to %s) instead of %s (lanes %s, from %s to %s): %s",
			next.Name, next.LaneGroup, next.Source, next.Target, now.Name, now.LaneGroup, now.Source, now.Target, back)
	}
	if slices.Equal(now.NameServers, next.NameServers) && now.Proxy == next.Proxy {
		return nil
	}
	if now.Proxy != "" || next.Proxy != "" { // nothing tells whether the same cluster is behind it
		return fmt.Errorf("migration %s: the target's proxy %q instead of %q: %s", next.Name, next.Proxy, now.Proxy, back)
	}
	there, err := next.target.Brokers(ctx)
	if err != nil {
		return fmt.Errorf("migration %s: its target: %w", next.Name, err)
	}
	for _, name := range *g.targets.Load() {
		if g.used(name) && !slices.ContainsFunc(there, func(b rocketmq.Broker) bool { return b.Name == name }) {
			return fmt.Errorf("migration %s: the cluster at %v has no broker %s: %s", next.Name, next.NameServers, name, back)
		}
	}
	return nil
}
