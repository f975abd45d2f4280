package clusters

import (
	"context"
	"sort"
	"sync"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// Closed reports for which groups a side is fenced: on any of its brokers.
func (g GroupTable) Closed(group string) bool {
	for _, settings := range g[group] {
		if !settings.ConsumeEnable {
			return true
		}
	}
	return false
}

// routedTopics are those of these topics that a proxy has, with the numbers of queues and the
// permissions that routes tell.
func (c *One) routedTopics(ctx context.Context, names []string) (TopicTable, error) {
	table := TopicTable{}
	var mu sync.Mutex
	err := Each(ctx, names, func(ctx context.Context, name string) error {
		found, err := c.TopicConfigs(ctx, []string{name})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for broker, of := range found {
			table.Add(broker, map[string]rocketmq.TopicConfig{name: of[name]})
		}
		return nil
	})
	return table, c.Explain(ctx, err)
}

// TopicTable is every topic's configuration by topic and broker name.
type TopicTable map[string]map[string]rocketmq.TopicConfig

// GroupTable is every group's settings by group and broker name.
type GroupTable map[string]map[string]rocketmq.Group

// Committed are the offsets of one group by topic and queue.
type Committed map[string]map[lane.Queue]int64

// TopicTable is what topics a side has; of one behind a proxy, which lists none, those of these
// names.
func (c *One) TopicTable(ctx context.Context, brokers []rocketmq.Broker, names []string) (TopicTable, error) {
	if c.Proxy() != "" {
		return c.routedTopics(ctx, names)
	}
	table := TopicTable{}
	for _, b := range brokers {
		configs, err := c.Client().TopicConfigs(ctx, b.Addr)
		if err != nil {
			return nil, c.Explain(ctx, err)
		}
		table.Add(b.Name, configs)
	}
	return table, nil
}

// GroupTable reads what groups a side has.
func (c *One) GroupTable(ctx context.Context, brokers []rocketmq.Broker) (GroupTable, error) {
	table := GroupTable{}
	for _, b := range brokers {
		groups, err := c.Client().Groups(ctx, b.Addr)
		if err != nil {
			return nil, c.Explain(ctx, err)
		}
		for name, group := range groups {
			if table[name] == nil {
				table[name] = map[string]rocketmq.Group{}
			}
			table[name][b.Name] = group
		}
	}
	return table, nil
}

// Positions reads every group's committed offsets, by group; none behind a proxy, which doesn't
// list them.
func (c *One) Positions(ctx context.Context, brokers []rocketmq.Broker) (map[string]Committed, error) {
	all := map[string]Committed{}
	if c.Proxy() != "" {
		return all, nil
	}
	for _, b := range brokers {
		offsets, err := c.Client().AllOffsets(ctx, b.Addr)
		if err != nil {
			return nil, c.Explain(ctx, err)
		}
		for key, queues := range offsets {
			if all[key.Group] == nil {
				all[key.Group] = Committed{}
			}
			of := all[key.Group]
			if of[key.Topic] == nil {
				of[key.Topic] = map[lane.Queue]int64{}
			}
			for queue, offset := range queues {
				of[key.Topic][lane.Queue{Broker: b.Name, ID: queue}] = offset
			}
		}
	}
	return all, nil
}

// Ranges reads the first and the next offset of every queue of a topic.
func (c *One) Ranges(
	ctx context.Context,
	brokers []rocketmq.Broker,
	table TopicTable,
	topic string,
) (map[lane.Queue]rocketmq.QueueRange, error) {
	all := map[lane.Queue]rocketmq.QueueRange{}
	for _, b := range brokers {
		config, here := table[topic][b.Name]
		if !here {
			continue
		}
		stats, err := c.Client().Ranges(ctx, b.Addr, topic, config.Queues())
		if err != nil {
			return nil, c.Explain(ctx, err)
		}
		for queue, span := range stats {
			all[lane.Queue{Broker: b.Name, ID: queue}] = span
		}
	}
	return all, nil
}

// Add enters what topics a broker has.
func (t TopicTable) Add(broker string, configs map[string]rocketmq.TopicConfig) {
	for name, config := range configs {
		if t[name] == nil {
			t[name] = map[string]rocketmq.TopicConfig{}
		}
		t[name][broker] = config
	}
}

// Queues are the topic's queues in client order.
func (t TopicTable) Queues(topic string) []lane.Queue { return replica.QueuesBy(t[topic]) }

// Selected are the topics of the plan, sorted. System, retry and dead-letter topics are never
// selected: they are handled apart.
func (t TopicTable) Selected(p plan.Plan, brokers []rocketmq.Broker) []string {
	var names []string
	for name := range t {
		if !SystemTopic(name, brokers) && p.Topics.Match(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// Selected are the groups of the plan, sorted, without the brokers' own and rocketshift's.
func (g GroupTable) Selected(p plan.Plan) []string {
	var names []string
	for name := range g {
		if !SystemGroup(name) && p.Groups.Match(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// All reports whether every broker that has the group has it open (or closed), and one has it.
func (g GroupTable) All(group string, open bool) bool {
	for _, settings := range g[group] {
		if settings.ConsumeEnable != open {
			return false
		}
	}
	return len(g[group]) > 0
}
