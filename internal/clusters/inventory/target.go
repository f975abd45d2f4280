package inventory

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// foundTarget is a target that exists already: its brokers, how they are configured, and what
// of it isn't seen.
type foundTarget struct {
	open     *clusters.One // nil where it isn't there
	brokers  []rocketmq.Broker
	settings []brokerconfig.Broker
	gaps     []api.Finding
}

// lookAtTarget looks at the plan's target; what isn't there has no brokers.
func lookAtTarget(ctx context.Context, o connect.Opener, p plan.Plan) (t foundTarget, err error) {
	where, err := o.WhereTarget(ctx, p)
	if err != nil || where.Addresses == nil {
		return t, err
	}
	open, err := o.Target(ctx, p)
	if err != nil {
		return t, err
	}
	t.open = open
	if t.gaps, err = open.GapFindings(ctx); err != nil {
		return t, err
	}
	if t.brokers, err = open.FindBrokers(ctx); err != nil {
		return t, err
	}
	t.settings, err = open.BrokerSettings(ctx, t.brokers)
	return t, err
}

// elsewhereOnTarget tells which of the selected topics clients of a target that exists see in
// another cluster, too: keys go to other queues there, and producers write where nobody looks.
func elsewhereOnTarget(
	ctx context.Context, o connect.Opener, p plan.Plan, inv *look, found foundTarget,
) ([]api.Finding, error) {
	if p.Target.Cluster == "" || len(found.brokers) == 0 { // several clusters without a name are a gap
		return nil, nil
	}
	target, err := o.Target(ctx, p)
	if err != nil {
		return nil, err
	}
	topics, looked := inv.topicNames(), clusters.SortedKeys(clusters.AddressesOf(found.brokers))
	there := make([][]api.Finding, len(topics))
	err = clusters.Each(ctx, clusters.Indexes(topics), func(ctx context.Context, i int) error {
		route, err := target.Route(ctx, topics[i])
		if err != nil && remoting.CodeOf(err) != remoting.TopicNotExist {
			return err
		}
		for _, e := range route.Elsewhere(looked) {
			there[i] = append(there[i], findings.TargetElsewhere.Refusal("topic "+topics[i],
				"give it another name there (target.rename.topics), or delete it there",
				"clients of the target also see %s of a topic of its name there: keys go to other queues", e))
		}
		return nil
	})
	return slices.Concat(there...), target.Explain(ctx, err)
}

// remainsFindings are what an earlier run left on a target that exists.
func remainsFindings(
	ctx context.Context, o connect.Opener, p plan.Plan, inv *look, targetBrokers []rocketmq.Broker,
) (left []api.Finding, err error) {
	if len(targetBrokers) == 0 {
		return nil, nil
	}
	both, err := o.Both(ctx, p)
	if err != nil {
		return nil, err
	}
	l := clusters.Layout{SourceBrokers: inv.brokers, TargetBrokers: targetBrokers, SourceTopics: inv.topics}
	topics := inv.topicNames()
	if l.TargetTopics, err = both.Target.TopicTable(ctx, targetBrokers, topics); err != nil {
		return nil, err
	}
	read := inv.positions[p.LaneGroup()]
	if read == nil {
		read = clusters.Committed{}
	}
	all, err := metadata.Leftovers(ctx, both, l, topics, read)
	for _, topic := range clusters.SortedKeys(all) {
		left = append(left, all[topic])
	}
	return left, err
}
