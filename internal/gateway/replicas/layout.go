package replicas

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Layout is what topics a cluster has.
type Layout struct {
	Queues map[string][]lane.Queue // in client order
	Vast   map[string]int64        // how many queues those have that are too many, which aren't listed
}

// QueuesOf are a cluster's topics; of one behind a proxy, those of the named ones that it has. At
// most so many queues are listed. An error comes with what the brokers have that could be asked.
func QueuesOf(ctx context.Context, c *rocketmq.Cluster, names []string, most int64) (Layout, error) {
	topics, unread := configsOf(ctx, c, names)
	brokers, err := c.Brokers(ctx) // of a proxy, those that routes of topics have named
	if err != nil {
		return Layout{}, err
	}
	known := map[string]map[string]rocketmq.TopicConfig{}
	for _, b := range brokers {
		known[b.Name] = topics[b.Name]
		maps.DeleteFunc(known[b.Name], func(name string, _ rocketmq.TopicConfig) bool {
			return rocketmq.SystemTopic(name, b.Cluster, []string{b.Name})
		})
	}
	return Lay(known, most), unread
}

// Lay lists the queues of topics, which are given by broker.
func Lay(topics map[string]map[string]rocketmq.TopicConfig, most int64) Layout {
	counts := map[string]int64{}
	for _, of := range topics {
		for name, config := range of {
			counts[name] += int64(config.Queues())
		}
	}
	is := Layout{map[string][]lane.Queue{}, map[string]int64{}}
	for _, name := range routing.SortedKeys(counts) {
		if counts[name] > min(routing.MostOfTopic, most) {
			is.Vast[name] = counts[name]
			continue
		}
		most -= counts[name]
		for _, broker := range routing.SortedKeys(topics) {
			config := topics[broker][name]
			for id := range config.Queues() {
				is.Queues[name] = append(is.Queues[name], lane.Queue{Broker: broker, ID: id})
			}
		}
	}
	return is
}

// TooVast is why a topic isn't looked into.
func TooVast(name string, queues int64, on routing.Side) string {
	return fmt.Sprintf(
		"topic %s has %d queues on the %s: the gateway looks into topics of %d at most, and into no more "+
			"altogether than it has memory for (--memory)",
		name,
		queues,
		on,
		routing.MostOfTopic,
	)
}

// configsOf are the settings of topics by broker. A broker that can't be asked hides no other
// one's.
func configsOf(
	ctx context.Context,
	c *rocketmq.Cluster,
	names []string,
) (map[string]map[string]rocketmq.TopicConfig, error) {
	if c.Proxy() != "" {
		return c.TopicConfigs(ctx, names)
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]rocketmq.TopicConfig{}
	var unread []error
	for _, b := range brokers {
		configs, err := c.Client().TopicConfigs(ctx, b.Addr)
		if err != nil {
			unread = append(unread, fmt.Errorf("topics of broker %s: %w", b.Name, err))
			continue
		}
		all[b.Name] = configs
	}
	return all, errors.Join(unread...)
}
