package rocketmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"rocketshift/internal/rocketmq/remoting"
)

// Registry is what the name servers of a cluster say, side by side. Brokers register with each name
// server, and name servers know nothing of each other: one may know what another doesn't.
type Registry struct {
	// NameServers are those that were asked, in the order in which they were given.
	NameServers []NameServer
	// Brokers are all that any of them knows, by cluster and name.
	Brokers []Registered
}

// Part says which part of what name servers know belongs to a cluster.
type Part struct {
	// Cluster is its name, where name servers know several; empty for everything.
	Cluster string
	// LeftOut are names of brokers that don't count.
	LeftOut []string
	// ReadSlaves are names of brokers of which a slave is read while no master is registered.
	ReadSlaves []string
}

// without are the nodes that don't belong to it.
func (p Part) without(n Node) bool {
	return p.Cluster != "" && n.Cluster != p.Cluster || slices.Contains(p.LeftOut, n.Name)
}

// NameServer is what one name server said.
type NameServer struct {
	Addr string
	Err  error // why it didn't answer; nil if it did
	// Known counts the masters and slaves that it knows.
	Known int
}

// Registered is a broker, with its master and slaves, as name servers know it.
type Registered struct {
	Cluster, Name string
	// Addrs are the addresses that are registered for each id, 0 for the master. There are several
	// where name servers say different things; the first is that of the first name server.
	Addrs map[int64][]string
	// KnownBy are the name servers that know its master, or where none is registered a slave.
	KnownBy []string
	// Slave is the address of the slave that is read while no master is registered, if that is
	// asked for; otherwise it is empty.
	Slave string
}

// Master is the address of the master; empty if none is registered.
func (r Registered) Master() string {
	if all := r.Addrs[0]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// GapKind says why the brokers of a cluster aren't known for certain.
type GapKind string

// Kinds of gaps.
const (
	GapSilent   GapKind = "silent"    // a name server doesn't answer
	GapEmpty    GapKind = "empty"     // a name server knows no broker, others do
	GapPartial  GapKind = "partial"   // some of the name servers don't know a broker
	GapNoMaster GapKind = "no master" // only slaves of a broker are registered
	GapConflict GapKind = "conflict"  // name servers know different addresses of a broker's master
	GapClusters GapKind = "clusters"  // brokers of several clusters are registered
	GapMute     GapKind = "mute"      // a slave that must be read serves no pulls
)

// Gap is a reason why a part of the cluster may be hidden, or may belong to another cluster. Broker
// is empty if it is about a name server, NameServer if it is about all of them.
type Gap struct {
	Kind               GapKind
	Broker, NameServer string
	Text               string
	Server             string // of GapMute: the slave
}

// Mend says what a person can do about it.
func (g Gap) Mend() string {
	switch g.Kind {
	case GapSilent:
		return "start it, or take it out of the list of name servers if nobody uses it"
	case GapEmpty:
		return "look at the brokers' namesrvAddr, or take it out of the list of name servers if nobody uses it"
	case GapClusters:
		return "say which one is meant"
	case GapNoMaster:
		return "start its master"
	case GapMute:
		return fmt.Sprintf("let it serve pulls, which needs no new start: mqadmin updateBrokerConfig -b %s "+
			"-k slaveReadEnable -v true", g.Server)
	case GapPartial:
		return "give that broker all name servers (namesrvAddr), or start what is down"
	default:
		return "two brokers have one name, or one has moved: let each register with all name servers"
	}
}

// Gaps are all reasons why a part of the cluster may be hidden, or may belong to another one: first
// several clusters, then name servers, then brokers.
func (r Registry) Gaps() (all []Gap) {
	if clusters := r.Clusters(); len(clusters) > 1 {
		all = append(all, Gap{Kind: GapClusters, Text: fmt.Sprintf(
			"the name servers know several clusters: %s", strings.Join(clusters, ", "))})
	}
	var answered []string
	known := 0
	for _, s := range r.NameServers {
		known += s.Known
	}
	for _, s := range r.NameServers {
		switch {
		case s.Err != nil:
			all = append(all, Gap{Kind: GapSilent, NameServer: s.Addr, Text: fmt.Sprintf(
				"name server %s doesn't answer, and may know brokers that others don't: %v", s.Addr, s.Err)})
			continue
		case s.Known == 0 && known > 0:
			all = append(all, Gap{Kind: GapEmpty, NameServer: s.Addr, Text: fmt.Sprintf(
				"name server %s knows no broker: clients that ask it find nothing", s.Addr)})
			continue
		}
		answered = append(answered, s.Addr)
	}
	for _, b := range r.Brokers {
		all = append(all, b.gaps(answered)...)
	}
	return all
}

// gaps are those of one broker, by the name servers that know any broker.
func (r Registered) gaps(answered []string) (all []Gap) {
	if r.Master() == "" && r.Slave == "" {
		var at []string
		for _, id := range slices.Sorted(maps.Keys(r.Addrs)) {
			at = append(at, r.Addrs[id]...)
		}
		all = append(all, Gap{Kind: GapNoMaster, Broker: r.Name, Text: fmt.Sprintf(
			"broker %s has no master, only slaves are registered (%s)", r.Name, strings.Join(at, ", "))})
	}
	for _, addr := range answered {
		if !slices.Contains(r.KnownBy, addr) {
			all = append(all, Gap{Kind: GapPartial, Broker: r.Name, NameServer: addr, Text: fmt.Sprintf(
				"broker %s is known to %s, but not to name server %s", r.Name,
				strings.Join(r.KnownBy, ", "), addr)})
		}
	}
	if masters := r.Addrs[0]; len(masters) > 1 {
		all = append(all, Gap{Kind: GapConflict, Broker: r.Name, Text: fmt.Sprintf(
			"name servers know different addresses of broker %s: %s", r.Name, strings.Join(masters, ", "))})
	}
	return all
}

// Clusters are the names of the clusters that brokers belong to, sorted.
func (r Registry) Clusters() (all []string) {
	for _, b := range r.Brokers {
		all = append(all, b.Cluster)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// err is the reason why nothing is known: no name server answered, or one refused.
func (r Registry) err() error {
	if len(r.NameServers) == 0 {
		return errors.New("no name server is given")
	}
	var failed []error
	for _, s := range r.NameServers {
		switch {
		case s.Err == nil:
			return nil
		case remoting.CodeOf(s.Err) >= 0:
			return s.Err // it serves, and refuses
		}
		failed = append(failed, fmt.Errorf("name server %w", s.Err))
	}
	return errors.Join(failed...)
}

// nodes are all masters and slaves, sorted by cluster, name and id.
func (r Registry) nodes() (all []Node) {
	for _, b := range r.Brokers {
		for _, id := range slices.Sorted(maps.Keys(b.Addrs)) {
			all = append(all, Node{Cluster: b.Cluster, Name: b.Name, ID: id, Addr: b.Addrs[id][0]})
		}
	}
	return all
}

// Registry asks all name servers at once. Of one that doesn't answer, its last answer counts, and
// it is listed as silent. It is an error if no name server is given, or none answers. A proxy takes
// the place of all name servers.
func (c *Cluster) Registry(ctx context.Context) (Registry, error) { return c.ask(ctx, 0) }

// ask is Registry. After the first answer it waits for the others no longer than grace; 0 is as
// long as a request may take.
func (c *Cluster) ask(ctx context.Context, grace time.Duration) (Registry, error) {
	if c.behind != nil {
		return c.registryBehind(ctx)
	}
	said := make([][]Node, len(c.nameServers))
	r := Registry{NameServers: make([]NameServer, len(c.nameServers))}
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for i, addr := range c.nameServers {
		all.Go(func() {
			nodes, err := c.client.Nodes(asking, addr)
			switch {
			case err == nil && grace > 0:
				time.AfterFunc(grace, func() { // the grace begins with the first answer
					stop(fmt.Errorf("no answer within %s of another one's", grace))
				})
			case err != nil && ctx.Err() == nil && asking.Err() != nil:
				err = fmt.Errorf("%s: %w", addr, context.Cause(asking))
			}
			r.NameServers[i] = NameServer{Addr: addr, Err: err, Known: len(nodes)}
			said[i] = slices.DeleteFunc(nodes, c.part.without)
		})
	}
	all.Wait()
	if err := r.err(); err != nil {
		return r, err
	}
	c.saying.Lock()
	for i, s := range r.NameServers {
		if s.Err == nil {
			c.said[s.Addr] = said[i]
		} else {
			said[i] = c.said[s.Addr]
		}
	}
	c.saying.Unlock()
	r.unite(said)
	for i := range r.Brokers {
		r.Brokers[i].standIn(c.part.ReadSlaves)
	}
	return r, nil
}

// unite makes one list of what name servers said, in their order.
func (r *Registry) unite(said [][]Node) {
	for i, nodes := range said {
		addr := r.NameServers[i].Addr
		for _, n := range nodes {
			b := r.broker(n.Cluster, n.Name)
			if !slices.Contains(b.Addrs[n.ID], n.Addr) {
				b.Addrs[n.ID] = append(b.Addrs[n.ID], n.Addr)
			}
			if !slices.Contains(b.KnownBy, addr) && r.NameServers[i].Err == nil {
				b.KnownBy = append(b.KnownBy, addr)
			}
		}
	}
	slices.SortFunc(r.Brokers, func(a, b Registered) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Cluster, b.Cluster))
	})
}

func (r *Registry) broker(cluster, name string) *Registered {
	for i := range r.Brokers {
		if r.Brokers[i].Cluster == cluster && r.Brokers[i].Name == name {
			return &r.Brokers[i]
		}
	}
	r.Brokers = append(r.Brokers, Registered{Cluster: cluster, Name: name, Addrs: map[int64][]string{}})
	return &r.Brokers[len(r.Brokers)-1]
}

func (c *Cluster) registryBehind(ctx context.Context) (Registry, error) {
	brokers, err := c.brokersBehind(ctx)
	if err != nil {
		return Registry{NameServers: []NameServer{{Addr: c.behind.addr, Err: err}}}, err
	}
	r := Registry{NameServers: []NameServer{{Addr: c.behind.addr, Known: len(brokers)}}}
	for _, b := range brokers {
		r.Brokers = append(r.Brokers, Registered{
			Cluster: b.Cluster, Name: b.Name, Addrs: map[int64][]string{0: {b.Addr}},
			KnownBy: []string{c.behind.addr},
		})
	}
	return r, nil
}
