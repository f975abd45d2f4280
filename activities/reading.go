package activities

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// together bounds calls that run at the same time against one side: brokers serve admin calls from
// few threads.
const together = 8

// ownPrefix starts the names of all groups that are rocketshift's own: lane groups of this
// migration and of others.
const ownPrefix = "rocketshift-"

// topicTable is every topic's configuration by topic and broker name.
type topicTable map[string]map[string]rocketmq.TopicConfig

// groupTable is every group's settings by group and broker name.
type groupTable map[string]map[string]rocketmq.Group

// committed are the offsets of one group by topic and queue.
type committed map[string]map[lane.Queue]int64

// each calls do for every item, a few at the same time, and returns the first error.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for _, item := range items {
		group.Go(func() error { return do(ctx, item) })
	}
	return group.Wait()
}

// indexes are the numbers of the items, for work whose results stay in their order.
func indexes[T any](items []T) []int {
	numbers := make([]int, len(items))
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func (c *cluster) brokers(ctx context.Context) ([]rocketmq.Broker, error) {
	found, err := c.Brokers(ctx)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if len(found) == 0 {
		return nil, fault.Unreachable(c.side, nil,
			"the name servers %s of the %s know no broker: start the brokers, rocketshift goes on by itself",
			strings.Join(c.NameServers(), ", "), c.side)
	}
	return found, nil
}

// answering are the brokers that can be reached and written to, and what is wrong with the first
// other one.
func (c *cluster) answering(
	ctx context.Context, brokers []rocketmq.Broker,
) ([]rocketmq.Broker, error) {
	failed := make([]error, len(brokers))
	_ = each(ctx, indexes(brokers), func(ctx context.Context, i int) error {
		_, err := c.Client().Runtime(ctx, brokers[i].Addr)
		switch {
		case remoting.Unreachable(err):
			failed[i] = err
		case brokers[i].Slave:
			failed[i] = c.mastered(brokers[i : i+1])
		}
		return nil
	})
	var there []rocketmq.Broker
	for i, b := range brokers {
		if failed[i] == nil {
			there = append(there, b)
		}
	}
	return there, c.explain(ctx, cmp.Or(failed...))
}

// topicTable is what topics a side has; of one behind a proxy, which lists none, those of these
// names.
func (c *cluster) topicTable(ctx context.Context, brokers []rocketmq.Broker, names []string) (topicTable, error) {
	if c.Proxy() != "" {
		return c.routedTopics(ctx, names)
	}
	table := topicTable{}
	for _, b := range brokers {
		configs, err := c.Client().TopicConfigs(ctx, b.Addr)
		if err != nil {
			return nil, c.explain(ctx, err)
		}
		for name, config := range configs {
			if table[name] == nil {
				table[name] = map[string]rocketmq.TopicConfig{}
			}
			table[name][b.Name] = config
		}
	}
	return table, nil
}

func (c *cluster) groupTable(ctx context.Context, brokers []rocketmq.Broker) (groupTable, error) {
	table := groupTable{}
	for _, b := range brokers {
		groups, err := c.Client().Groups(ctx, b.Addr)
		if err != nil {
			return nil, c.explain(ctx, err)
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

// positions reads every group's committed offsets, by group; none behind a proxy, which doesn't
// list them.
func (c *cluster) positions(ctx context.Context, brokers []rocketmq.Broker) (map[string]committed, error) {
	all := map[string]committed{}
	if c.Proxy() != "" {
		return all, nil
	}
	for _, b := range brokers {
		offsets, err := c.Client().AllOffsets(ctx, b.Addr)
		if err != nil {
			return nil, c.explain(ctx, err)
		}
		for key, queues := range offsets {
			if all[key.Group] == nil {
				all[key.Group] = committed{}
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

// ranges reads the first and the next offset of every queue of a topic.
func (c *cluster) ranges(
	ctx context.Context,
	brokers []rocketmq.Broker,
	table topicTable,
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
			return nil, c.explain(ctx, err)
		}
		for queue, span := range stats {
			all[lane.Queue{Broker: b.Name, ID: queue}] = span
		}
	}
	return all, nil
}

// queues are the topic's queues in client order.
func (t topicTable) queues(topic string) []lane.Queue { return replica.QueuesBy(t[topic]) }

// selected are the topics of the plan, sorted. System, retry and dead-letter topics are never
// selected: they are handled apart.
func (t topicTable) selected(p plan.Plan, brokers []rocketmq.Broker) []string {
	var names []string
	for name := range t {
		if !systemTopic(name, brokers) && p.Topics.Match(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func systemTopic(name string, brokers []rocketmq.Broker) bool {
	if isCanary(name) || strings.HasPrefix(name, rocketmq.RetryTopic("")) ||
		strings.HasPrefix(name, rocketmq.DLQTopic("")) {
		return true
	}
	var names []string
	for _, b := range brokers {
		names = append(names, b.Name)
	}
	return slices.ContainsFunc(brokers,
		func(b rocketmq.Broker) bool { return rocketmq.SystemTopic(name, b.Cluster, names) })
}

// selected are the groups of the plan, sorted, without the brokers' own and rocketshift's.
func (g groupTable) selected(p plan.Plan) []string {
	var names []string
	for name := range g {
		if !systemGroup(name) && p.Groups.Match(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func systemGroup(name string) bool {
	return rocketmq.SystemGroup(name) || strings.HasPrefix(name, ownPrefix)
}
