package copyjob

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/clusters"
	"rocketshift/internal/failure"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// topicsOf is what the brokers of one side have configured.
type topicsOf struct {
	endpoint
	client  *rocketmq.Client
	brokers []rocketmq.Broker
	topics  clusters.TopicTable
}

// readSide reads a side.
func readSide(ctx context.Context, e endpoint, cluster *rocketmq.Cluster, topics []string) (topicsOf, error) {
	t := topicsOf{endpoint: e, client: cluster.Client(), topics: clusters.TopicTable{}}
	registry, err := cluster.Registry(ctx) // without a second try: the address may be wrong
	var gaps []rocketmq.Gap
	var configs map[string]map[string]rocketmq.TopicConfig // by broker
	if err == nil {
		gaps, err = cluster.Gaps(ctx, registry)
	}
	if err == nil {
		if err := e.whole(gaps); err != nil {
			return t, err
		}
		configs, err = cluster.TopicConfigs(ctx, topics)
	}
	if err == nil {
		t.brokers, err = cluster.Brokers(ctx)
	}
	for _, b := range t.brokers {
		t.topics.Add(b.Name, configs[b.Name])
	}
	switch {
	case err == nil && len(t.brokers) == 0:
		return t, failure.Broken("start them", "%s: no master broker is registered there", e)
	case err == nil:
		return t, nil
	case remoting.Denied(err):
		return t, failure.Broken("check --"+string(e.side)+"-credentials and what they may do",
			"%s refuses the keys: %w", e, err)
	case remoting.Unreachable(err):
		return t, failure.Broken("start it, or correct --"+string(e.side), "%s doesn't answer: %w", e, err)
	default:
		return t, failure.Broken("", "%s: %w", e, err)
	}
}

// whole fails if something of the side may be hidden, and tells all of it.
func (e endpoint) whole(gaps []rocketmq.Gap) error {
	if len(gaps) > 0 && gaps[0].Kind == rocketmq.GapClusters { // naming the cluster removes the other gaps
		return failure.Broken(e.mend(gaps[0]), "%s: %s", e, gaps[0].Text)
	}
	var causes, next []string
	for _, gap := range gaps {
		causes = append(causes, gap.Text)
		if mend := e.mend(gap); !slices.Contains(next, mend) {
			next = append(next, mend)
		}
	}
	if len(gaps) == 0 {
		return nil
	}
	return failure.Broken(strings.Join(next, "; "), "%s isn't seen whole: %s", e, strings.Join(causes, "; "))
}

// mend says what a person can do about a gap.
func (e endpoint) mend(gap rocketmq.Gap) string {
	next := gap.Mend()
	if gap.Kind == rocketmq.GapClusters {
		return fmt.Sprintf("%s: --%s-cluster", next, e.side)
	}
	if gap.Kind == rocketmq.GapNoMaster && e.side == lane.SideSource {
		next += ", or copy what its slave has (--read-slave " + gap.Broker + ")"
	}
	if gap.Broker != "" && e.side == lane.SideSource {
		next += ", or leave it out (--leave-out): what it holds isn't copied then"
	}
	return next
}

// unreadable are the brokers that deliver nothing of the topic.
func (t topicsOf) unreadable(topic string) (names []string) {
	for _, b := range t.brokers {
		if config, there := t.topics[topic][b.Name]; there && config.Perm&rocketmq.PermRead == 0 {
			names = append(names, b.Name)
		}
	}
	return names
}

func (t topicsOf) names() (names []string) {
	for _, b := range t.brokers {
		names = append(names, b.Name)
	}
	return names
}

// Prepare checks both sides and all topics before it writes anything, creates what is missing if it
// may, and pairs the queues.
func (c *Job) Prepare(ctx context.Context, note func(string, ...any)) error {
	source, err := readSide(ctx, c.From, c.Source, c.topics)
	if err != nil {
		return err
	}
	c.fromSlaves = rocketmq.FromSlaves(source.brokers)
	target, err := readSide(ctx, c.To, c.Target, c.topics)
	if err != nil {
		return err
	}
	if err := twoClusters(source, target); err != nil {
		return err
	}
	missing, err := c.checkAll(ctx, source, target)
	if err != nil {
		return err
	}
	if err := c.lookElsewhere(ctx, source, target); err != nil {
		return err
	}
	singly, err := c.singly(ctx)
	if err != nil {
		return err
	}
	for _, other := range slices.Concat(unlike(c.topics, source, target), c.notSeen, singly) {
		note("%s", other)
	}
	if len(missing) == 0 {
		return nil
	}
	for _, topic := range missing {
		if err := target.create(ctx, topic, source); err != nil {
			return err
		}
		note("created topic %s on the target with %d queues", c.To.renames.Topic(topic),
			len(source.topics.Queues(topic)))
	}
	if target, err = readSide(ctx, c.To, c.Target, c.topics); err != nil {
		return err
	}
	created, err := pairs(missing, source, target)
	c.lanes = append(c.lanes, created...)
	return err
}

// twoClusters refuses one cluster as source and target, however it is addressed.
func twoClusters(source, target topicsOf) error {
	for _, s := range source.brokers {
		for _, t := range target.brokers {
			if s.Addr == t.Addr {
				return failure.Usage("name another cluster by --source or --target",
					"source and target are the same cluster: broker %s (%s) is registered at both", s.Name,
					s.Addr)
			}
		}
	}
	return nil
}

// unlike tells of topics on the target whose producers see other queues there than on the source.
func unlike(topics []string, source, target topicsOf) (all []string) {
	for _, topic := range topics {
		here, there := source.topics[topic], target.topics[topic]
		if len(there) == 0 || slices.Equal(replica.Writable(here), replica.Writable(there)) {
			continue
		}
		seen := func(topic map[string]rocketmq.TopicConfig) string {
			return cmp.Or(replica.Hidden(topic), "all")
		}
		all = append(all, fmt.Sprintf("topic %s: producers see other queues on the target (%s) than on "+
			"the source (%s): keys go to other queues there", topic, seen(there), seen(here)))
	}
	return all
}

// create makes a topic with as many queues as the source has, spread over the brokers so that
// producers see the same ones: the first brokers in client order get one more. Its other settings
// are those of the source's first broker.
func (t topicsOf) create(ctx context.Context, topic string, source topicsOf) error {
	var model rocketmq.TopicConfig
	for _, b := range slices.Backward(source.brokers) {
		if config, there := source.topics[topic][b.Name]; there {
			model = config
		}
	}
	model.Perm = rocketmq.PermRead | rocketmq.PermWrite
	shares, _ := replica.Spread(replica.Writable(source.topics[topic]), t.names()) // check has made sure that it can
	for _, b := range t.brokers {
		share, has := shares[b.Name]
		if _, made := t.topics[topic][b.Name]; !has || made {
			continue // an earlier run was cut off after it
		}
		model.ReadQueues, model.WriteQueues = share.Queues, share.Writable
		if err := remoting.Retry(ctx, func() error { return t.client.CreateTopic(ctx, b.Addr, model) }); err != nil {
			return failure.Broken("create it by other means, or grant the keys what it needs",
				"create topic %s on the target's broker %s: %w", topic, b.Name, err)
		}
	}
	return nil
}

// pairs makes lanes of the queues of topics.
func pairs(topics []string, source, target topicsOf) (all []lane.Lane, err error) {
	for _, topic := range topics {
		lanes, err := lane.Pair(topic, source.topics.Queues(topic), target.topics.Queues(topic))
		if err != nil {
			return nil, failure.Broken("see the target's broker log", "%w", err)
		}
		all = append(all, lanes...)
	}
	return all, nil
}

// String says what is copied where.
func (c *Job) String() string {
	way := fmt.Sprintf("from %s to %s", c.From, c.To)
	if c.bothWays {
		way = fmt.Sprintf("both ways between %s and %s", c.From, c.To)
	}
	return fmt.Sprintf("copying %s in %d lanes %s; consumer group %s", printable.Listed(c.topics), len(c.lanes),
		way, c.names.Group)
}
