package storage

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Find is the area. It asks the target's brokers how full they are, and the source for the next
// message of groups that are behind.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) ([]api.Finding, error) {
	target, err := runtimes(ctx, sides.Target, seen.Target.Brokers)
	if err != nil {
		return nil, err
	}
	late := lagging(seen)
	late = late[:min(len(late), mostAged)]
	if err := age(ctx, sides.Source, late, seen.Brokers); err != nil {
		return nil, sides.Source.Explain(ctx, err)
	}
	return slices.Concat(
		disksOf(
			api.Source,
			seen.Runtime,
			seen.Configured,
			seen,
		),
		disksOf(api.Target, target, seen.Target.Configured, seen),
		roomOf(seen.Runtime, target, seen),
		lagFindings(late, keptFor(seen), seen),
	), nil
}

// runtimes is what each broker of a side tells of itself, by its name; a proxy doesn't.
func runtimes(ctx context.Context, c *clusters.One, brokers []rocketmq.Broker) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	if c == nil || c.Proxy() != "" {
		return all, nil
	}
	for _, b := range brokers {
		table, err := c.RuntimeAt(ctx, b.Addr)
		if err != nil && remoting.CodeOf(err) < 0 {
			return nil, c.Explain(ctx, err)
		}
		all[b.Name] = table
	}
	return all, nil
}
