package metadata

import (
	"context"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
)

// Permit changes and reads back the permission of topics on a side.
func Permit(
	ctx context.Context, c *clusters.One, brokers []rocketmq.Broker, topics []string, change func(int) int,
) error {
	if err := c.Mastered(brokers); err != nil {
		return err
	}
	table, err := c.TopicTable(ctx, brokers, nil)
	if err != nil {
		return err
	}
	addr := clusters.AddressesOf(brokers)
	for _, name := range topics {
		if len(table[name]) == 0 {
			return fault.Refused("topic %s: no broker of the %s has it: run ImportMetadata to compare", name, c.Side)
		}
		for _, broker := range clusters.SortedKeys(table[name]) {
			config := table[name][broker]
			if config.Perm == change(config.Perm) {
				continue
			}
			config.Perm, config.Attributes = change(config.Perm), nil
			if err := c.Client().CreateTopic(ctx, addr[broker], config); err != nil {
				return c.Explain(ctx, err)
			}
		}
	}
	return readBackPermission(ctx, c, brokers, topics, change)
}

func readBackPermission(
	ctx context.Context, c *clusters.One,
	brokers []rocketmq.Broker,
	names []string,
	change func(int) int,
) error {
	table, err := c.TopicTable(ctx, brokers, nil)
	if err != nil {
		return err
	}
	for _, name := range names {
		for _, broker := range clusters.SortedKeys(table[name]) {
			if perm := table[name][broker].Perm; perm != change(perm) {
				return fault.NotTaken("topic %s on %s broker %s: permission %d was acknowledged and reads back as %d",
					name, c.Side, broker, change(perm), perm)
			}
		}
	}
	return nil
}
