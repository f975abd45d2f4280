package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// Name servers may be away when a gateway starts, while the brokers are well. So it keeps on disk
// where the brokers of both sides were seen last, and goes by that until the name servers answer.

// recall goes by the addresses of before a restart until name servers answer. A broker of which
// only the port is known, as in a state of an older gateway, gets that port again.
func (g *Gateway) recall(kept store.State) error {
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		if was := map[string][]string(kept.Brokers[on.String()]); len(was) > 0 {
			was = maps.Clone(was)
			g.sides.Brokers[on].Store(&was)
		}
	}
	g.sides.RecallClusters(kept.Clusters)
	g.sides.Source.Assume(mastersOf(kept.Brokers[routing.Source.String()]))
	if m := g.sides.Migration.Load(); m != nil {
		m.TargetCluster.Assume(mastersOf(kept.Brokers[routing.Target.String()]))
	}
	here := map[string][]string{}
	for name := range kept.Ports {
		if name != namesKey {
			here[name] = kept.Brokers[routing.Source.String()][name]
		}
	}
	return g.clients.ports.ensure(g.clients, here)
}

// mastersOf are the masters among brokers, with an address of each.
func mastersOf(brokers store.Addresses) map[string]string {
	masters := map[string]string{}
	for name, addrs := range brokers {
		if !strings.Contains(name, "#") {
			masters[name] = addrs[0]
		}
	}
	return masters
}

// sameAddresses reports whether brokers are where they were seen before.
func sameAddresses(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal) }

// firstLook looks at both clusters. What can't be asked is gone by as it was, if anything was.
func (g *Gateway) firstLook(kept store.State) error {
	err := g.look(g.ctx)
	if err == nil {
		return nil
	}
	if len(kept.Homes)+len(kept.Views)+len(g.sides.BrokersOf(routing.Source)) == 0 {
		return fmt.Errorf("gateway: %w", err)
	}
	g.log.Warn("it begins with what it knew", "cause", err)
	g.clients.refresh.now()
	return nil
}
