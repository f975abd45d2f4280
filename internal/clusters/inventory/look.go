package inventory

import (
	"context"
	"sort"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// look is what one look at the source saw.
type look struct {
	plan      plan.Plan
	brokers   []rocketmq.Broker
	topics    clusters.TopicTable
	groups    clusters.GroupTable
	positions map[string]clusters.Committed
	// online is of every group that isn't a broker's own, selected or not, and of the lanes'.
	online    map[string]clusters.Connections
	producers map[string]map[string]rocketmq.Connection
	untold    []string        // brokers that don't tell who produces
	orderly   map[string]bool // groups with an orderly member
	silent    []string        // groups with members of which none says whether it is orderly
	messages  map[string]int64
	samples   map[string]metadata.Sample
	routes    map[string]rocketmq.Route // what name servers show clients
	unsampled map[string]error
	ranges    map[string]map[lane.Queue]rocketmq.QueueRange
	shortly   map[string]bool // topics that were looked into with one pull alone
	members   map[string]map[string]facts.Member
	runtime   map[string]map[string]string
	at        time.Time
	selection *selected // nil until it is asked for
}

// takeInventory looks at a cluster, and tells how far it is.
func takeInventory(ctx context.Context, c *clusters.One, p plan.Plan, tell func(string)) (*look, error) {
	inv := &look{
		plan: p, messages: map[string]int64{}, samples: map[string]metadata.Sample{},
		unsampled: map[string]error{}, routes: map[string]rocketmq.Route{},
		ranges:  map[string]map[lane.Queue]rocketmq.QueueRange{},
		members: map[string]map[string]facts.Member{}, runtime: map[string]map[string]string{},
	}
	var err error
	if inv.brokers, err = c.FindBrokers(ctx); err != nil {
		return nil, err
	}
	for _, b := range inv.brokers {
		if inv.runtime[b.Name], err = c.Client().Runtime(ctx, b.Addr); err != nil {
			return nil, c.Explain(ctx, err)
		}
	}
	if inv.topics, err = c.TopicTable(ctx, inv.brokers, nil); err != nil {
		return nil, err
	}
	if inv.groups, err = c.GroupTable(ctx, inv.brokers); err != nil {
		return nil, err
	}
	if inv.positions, err = c.Positions(ctx, inv.brokers); err != nil {
		return nil, err
	}
	asked := append(applicationGroups(inv.groups), p.LaneGroup()) // lanes have no members: applications would be
	if inv.online, err = c.MembersOf(ctx, inv.brokers, asked); err != nil {
		return nil, err
	}
	if inv.producers, inv.untold, err = c.Producers(ctx, inv.brokers); err != nil {
		return nil, err
	}
	selected, ask := inv.groupNames(), inv.askMember(c)
	inv.orderly, inv.silent = howGroupsConsume(ctx, selected, inv.online, ask, tell)
	inv.askOthers(ctx, selected, ask, tell)
	for group, members := range inv.members {
		for _, m := range members {
			inv.orderly[group] = inv.orderly[group] || m.Orderly
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	err = measureTopics(ctx, c, inv, tell)
	inv.at = time.Now().UTC()
	return inv, err
}

func applicationGroups(groups clusters.GroupTable) []string {
	var names []string
	for name := range groups {
		if !clusters.SystemGroup(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}
