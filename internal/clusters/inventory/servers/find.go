package servers

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/rocketmq"
)

// Find is the area. It asks each broker for its time, and each name server for its version, its
// topics and some routes.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) ([]api.Finding, error) {
	source, err := brokersOf(ctx, sides.Source, seen.Brokers)
	if err != nil {
		return nil, err
	}
	target, err := brokersOf(ctx, sides.Target, seen.Target.Brokers)
	if err != nil {
		return nil, err
	}
	names, err := nameServersOf(ctx, sides.Source, seen)
	if err != nil {
		return nil, err
	}
	views, err := viewsOf(ctx, sides.Source, seen)
	if err != nil {
		return nil, err
	}
	return slices.Concat(
		sameCluster(source, target), tooOld(seen.Brokers), mixed(api.Source, seen.Brokers, names, seen),
		mixed(api.Target, seen.Target.Brokers, nil, seen), featuresOff(seen),
		skewed(source, target, seen), views,
	), nil
}

// broker is one broker of a side with what it tells of itself.
type broker struct {
	rocketmq.Broker
	side  api.Side
	boot  string // bootTimestamp, milliseconds since 1970 by its clock; empty if it doesn't tell
	clock clock
}

func brokersOf(ctx context.Context, c *clusters.One, brokers []rocketmq.Broker) ([]broker, error) {
	if c == nil || c.Proxy() != "" {
		return nil, nil
	}
	all := make([]broker, len(brokers))
	err := clusters.Each(ctx, clusters.Indexes(brokers), func(ctx context.Context, i int) (err error) {
		all[i] = broker{Broker: brokers[i], side: c.Side}
		if all[i].clock, err = clockOf(ctx, c, brokers[i]); err != nil {
			return err
		}
		table, err := c.RuntimeAt(ctx, brokers[i].Addr)
		all[i].boot = table["bootTimestamp"]
		return err
	})
	return all, c.Explain(ctx, err)
}
