package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// lookAtBrokers takes over which brokers a side has. Those that are gone keep their last address.
func (g *Gateway) lookAtBrokers(ctx context.Context, on routing.Side, c *rocketmq.Cluster) error {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	all := map[string][]string{}
	if last := g.sides.Brokers[on].Load(); last != nil {
		for name, addrs := range *last {
			all[name] = addrs
		}
	}
	renamed := g.sides.Clusters[on].Learn(nodes)
	for _, n := range nodes {
		name := n.Name
		if n.ID != 0 {
			name += "#" + strconv.FormatInt(n.ID, 10)
		}
		all[name] = []string{rocketmq.ServerOf(n.Addr)}
	}
	g.tellVersions(ctx, on, c)
	before := g.sides.Brokers[on].Swap(&all)
	if on == routing.Source {
		err = g.clients.ports.ensure(g.clients, all)
	} else {
		err = g.number(routing.SortedKeys(all))
	}
	if err == nil && (renamed || before == nil || !sameAddresses(*before, all)) {
		_ = g.save() // for a start without name servers; that it can't be written is said, and tried again
	}
	return err
}

// tellVersions says which brokers don't say their versions, as those that have just been started,
// and those that are gone without a word. They are asked again at the next look.
func (g *Gateway) tellVersions(ctx context.Context, on routing.Side, c *rocketmq.Cluster) {
	brokers, err := c.Brokers(ctx)
	if err != nil || c.Proxy() != "" {
		return
	}
	for _, b := range brokers {
		if b.Version == "" && g.clients.figures.said.versions.Due(on.String()+b.Name) {
			g.log.Warn("a broker is registered and doesn't say its version; it is asked again", "side",
				on.String(), "broker", b.Name, "address", b.Addr)
		}
	}
}

// number gives new target brokers the next numbers.
func (g *Gateway) number(names []string) error {
	before := g.sides.Targets.Load()
	now := *before
	next := slices.Clone(now)
	for _, name := range names {
		if !strings.Contains(name, "#") && !slices.Contains(next, name) {
			next = append(next, name)
		}
	}
	if len(next) > replicas.MostTargets {
		return fmt.Errorf("the target has %d brokers, at most %d can be told apart", len(next), replicas.MostTargets)
	}
	if len(next) == len(now) {
		return nil
	}
	g.sides.Targets.Store(&next)
	err := g.save() // before any client gets a tag of theirs
	if err != nil {
		g.sides.Targets.CompareAndSwap(&next, before)
	}
	return err
}

// addresses are where a server is looked for, in this order.
func (ss *sessions) addresses(to routing.Dest) []string {
	if to == routing.NameServers {
		return ss.config.NameServers
	}
	if all := ss.sides.Brokers[to.Side].Load(); all != nil {
		return (*all)[to.Broker] // of brokers behind a proxy the proxy's
	}
	return nil
}

func (g *Gateway) lookAgain() {
	tick := time.NewTimer(replicas.LookPause)
	defer tick.Stop()
	for soon := time.Duration(0); ; { // 0: the last look went well
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
		case <-g.clients.refresh:
		}
		if err := g.look(g.ctx); err == nil {
			soon = 0
		} else if soon = min(max(2*soon, lookSoon), replicas.LookPause); g.ctx.Err() == nil && g.clients.figures.said.looks.Due() {
			g.log.Warn("what the clusters have can't be read; it goes on with what it knows", "cause", err)
		}
		tick.Reset(cmp.Or(soon, replicas.LookPause))
		g.clients.ports.accept(g.clients)
		g.sync(g.ctx)
	}
}
