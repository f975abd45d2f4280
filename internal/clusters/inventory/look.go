package inventory

import (
	"context"
	"sort"
	"sync"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// look is what one look at the source saw.
type look struct {
	plan      plan.Plan
	brokers   []rocketmq.Broker
	topics    clusters.TopicTable
	groups    clusters.GroupTable
	positions map[string]clusters.Committed
	online    map[string]clusters.Connections // of every group that isn't a broker's own, selected or not
	producers map[string]map[string]rocketmq.Connection
	untold    []string        // brokers that don't tell who produces
	orderly   map[string]bool // groups with an orderly member
	silent    []string        // groups with members of which none says whether it is orderly
	messages  map[string]int64
	samples   map[string]metadata.Sample
	routes    map[string]rocketmq.Route // what name servers show clients
	unsampled map[string]error
	at        time.Time
	selection *selected // nil until it is asked for
}

// takeInventory looks at a cluster, and tells how far it is.
func takeInventory(ctx context.Context, c *clusters.One, p plan.Plan, tell func(string)) (*look, error) {
	inv := &look{
		plan: p, messages: map[string]int64{}, samples: map[string]metadata.Sample{},
		unsampled: map[string]error{}, routes: map[string]rocketmq.Route{},
	}
	var err error
	if inv.brokers, err = c.FindBrokers(ctx); err != nil {
		return nil, err
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
	if inv.online, err = c.MembersOf(ctx, inv.brokers, applicationGroups(inv.groups)); err != nil {
		return nil, err
	}
	if inv.producers, inv.untold, err = c.Producers(ctx, inv.brokers); err != nil {
		return nil, err
	}
	inv.orderly, inv.silent = howGroupsConsume(ctx, inv.groupNames(), inv.online,
		askMember(c, inv.online), tell)
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

// measureTopics counts and samples every selected topic.
func measureTopics(ctx context.Context, c *clusters.One, inv *look, tell func(string)) error {
	var mu sync.Mutex
	addr := clusters.AddressesOf(inv.brokers)
	topics := inv.topicNames()
	return clusters.Each(ctx, topics, func(ctx context.Context, topic string) error {
		tell("topic " + topic)
		ranges, err := c.Ranges(ctx, inv.brokers, inv.topics, topic)
		if err != nil {
			return err
		}
		seen, lookErr := metadata.SampleTopic(ctx, c, addr, topic, ranges)
		if lookErr != nil && remoting.CodeOf(lookErr) < 0 {
			return c.Explain(ctx, lookErr)
		}
		route, err := c.Route(ctx, topic)
		if err != nil && remoting.CodeOf(err) != remoting.TopicNotExist { // without a route clients see nothing
			return c.Explain(ctx, err)
		}
		mu.Lock()
		defer mu.Unlock()
		inv.routes[topic] = route
		for _, span := range ranges {
			inv.messages[topic] += span.Max - span.Min
		}
		inv.samples[topic] = seen
		if lookErr != nil {
			inv.unsampled[topic] = lookErr
		}
		return nil
	})
}
