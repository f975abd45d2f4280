package gateway

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
)

// Name servers may be away when a gateway starts, while the brokers are well. So it keeps on disk
// where the brokers of both sides were seen last, and goes by that until the name servers answer.

// savedAddresses are those of the masters of a side by name, and of slaves by name#id.
type savedAddresses map[string][]string

// checkAddresses refuses addresses of a state that nobody could have written.
func checkAddresses(all map[string]savedAddresses) error {
	for on, brokers := range all {
		if _, known := sideOf(on); !known {
			return fmt.Errorf("brokers are of %q: source or target is possible", on)
		}
		for name, addrs := range brokers {
			for _, addr := range addrs {
				if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
					return fmt.Errorf("%s broker %s is at %q: host:port is possible", on, name, addr)
				}
			}
			if name == "" || len(addrs) == 0 {
				return fmt.Errorf("%s broker %q has no name or no address", on, name)
			}
		}
	}
	return nil
}

// knownAddresses are where the brokers of both sides were seen last; nil where none was.
func (g *Gateway) knownAddresses() map[string]savedAddresses {
	all := map[string]savedAddresses{}
	for _, on := range []side{source, target} {
		if known := g.brokers[on].Load(); known != nil && len(*known) > 0 {
			all[on.String()] = *known
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// recall goes by the addresses of before a restart until name servers answer. A broker of which
// only the port is known, as in a state of an older gateway, gets that port again.
func (g *Gateway) recall(kept saved) error {
	for _, on := range []side{source, target} {
		if was := map[string][]string(kept.Brokers[on.String()]); len(was) > 0 {
			was = maps.Clone(was)
			g.brokers[on].Store(&was)
		}
	}
	g.recallClusters(kept.Clusters)
	g.source.Assume(mastersOf(kept.Brokers[source.String()]))
	if m := g.migration.Load(); m != nil {
		m.target.Assume(mastersOf(kept.Brokers[target.String()]))
	}
	here := map[string][]string{}
	for name := range kept.Ports {
		if name != namesKey {
			here[name] = kept.Brokers[source.String()][name]
		}
	}
	return g.ports.ensure(g, here)
}

// mastersOf are the masters among brokers, with an address of each.
func mastersOf(brokers savedAddresses) map[string]string {
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
func (g *Gateway) firstLook(kept saved) error {
	err := g.look(g.ctx)
	if err == nil {
		return nil
	}
	if len(kept.Homes)+len(kept.Views)+len(g.brokersOf(source)) == 0 {
		return fmt.Errorf("gateway: %w", err)
	}
	g.log.Warn("it begins with what it knew", "cause", err)
	g.refresh.now()
	return nil
}
