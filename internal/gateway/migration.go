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

// use makes a migration the gateway's.
func (g *Gateway) use(m Migration) {
	credentials := cmp.Or(g.config.OnTarget, g.config.Credentials)
	client := rocketmq.NewClient(rocketmq.Options{Credentials: credentials, TLS: g.secure[target]})
	c := rocketmq.NewCluster(client, m.NameServers)
	if m.Proxy != "" {
		c = rocketmq.NewClusterBehind(client, m.Proxy)
	}
	names := replicator.Names{Group: m.LaneGroup, Source: m.Source, Target: m.Target}
	ordered := map[string]bool{}
	for _, topic := range m.Ordered {
		ordered[topic] = true
	}
	g.migration.Store(&migration{m, c, replicator.NewPositions(g.source, c, names), m.othersThan(g.config.Name), ordered})
}

// ordered reports whether a topic's order must hold even while gateways can't agree.
func (g *Gateway) ordered(topic string) bool {
	m := g.migration.Load()
	return m != nil && (m.Ordered == nil || m.ordered[topic])
}

// Use tells the gateway the migration that it is for. Another one is refused while anything is away from the source.
func (g *Gateway) Use(ctx context.Context, m Migration) error {
	if err := m.check(g.config.Name); err != nil {
		return err
	}
	now := g.migration.Load()
	same := now != nil && reflect.DeepEqual(now.Migration, m)
	if now != nil && !same && g.anythingOnTarget() && (now.Name != m.Name || now.LaneGroup != m.LaneGroup) {
		return fmt.Errorf("migration %s: homes or groups are still on the target of migration %s: move them back first", m.Name, now.Name)
	}
	if now != nil {
		if err := g.evict(ctx, now.without(m)); err != nil {
			return err
		}
	}
	if !same { // what is known of the lanes, and the connections, stay
		g.use(m)
	}
	if err := g.look(ctx); err != nil {
		return err
	}
	g.sync(ctx)
	g.renewLease()
	g.ports.accept(g)
	for _, s := range g.all() { // the target should know everybody before anything moves
		s.mu.Lock()
		client, beat := s.client, s.beat
		s.mu.Unlock()
		g.mirrors.beat(s, client, beat)
	}
	return g.save()
}
