package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// foundTarget is a target that exists already: its brokers, how they are configured, and what
// of it isn't seen.
type foundTarget struct {
	brokers  []rocketmq.Broker
	settings []brokerconfig.Broker
	gaps     []api.Finding
}

func (a *Assess) lookAtTarget(ctx context.Context, p plan.Plan) (t foundTarget, err error) {
	where, err := a.settings.clusters().WhereTarget(ctx, p)
	if err != nil || where.Addresses == nil {
		return t, err
	}
	open, err := a.settings.clusters().Target(ctx, p)
	if err != nil {
		return t, err
	}
	if t.gaps, err = open.GapFindings(ctx); err != nil {
		return t, err
	}
	if t.brokers, err = open.FindBrokers(ctx); err != nil {
		return t, err
	}
	t.settings, err = open.BrokerSettings(ctx, t.brokers)
	return t, err
}

func (inv *inventory) uses() brokerconfig.Uses {
	uses := clusters.UsesOf(inv.online, inv.groups.Selected(inv.plan))
	for _, topic := range inv.topics.Selected(inv.plan, inv.brokers) {
		kind := inv.topic(topic).Type
		if kind == plan.TypeTransaction || kind == plan.TypeMixed && inv.samples[topic].kinds[plan.TypeTransaction] {
			uses[brokerconfig.Transacting] = append(uses[brokerconfig.Transacting], topic)
		}
	}
	return uses
}

// likeSource are the lines with which a new target behaves as the source does.
func (s Settings) likeSource(ctx context.Context, p plan.Plan) (map[string]string, error) {
	source, err := s.clusters().Source(p)
	if err != nil {
		return nil, err
	}
	brokers, err := source.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	settings, err := source.BrokerSettings(ctx, brokers)
	return brokerconfig.Provided(settings), err
}

// compareSettings finds how both sides' brokers are configured otherwise. Groups are asked only
// where one may depend on it.
func (o *objects) compareSettings(ctx context.Context, s Settings, r MetadataRequest) error {
	source, err := o.Source.BrokerSettings(ctx, o.sourceBrokers)
	if err != nil {
		return err
	}
	target, err := o.Target.BrokerSettings(ctx, o.targetBrokers)
	if err != nil {
		return err
	}
	uses := brokerconfig.Uses{}
	if brokerconfig.Depend(target) {
		want, err := s.wanted(ctx, r)
		if err != nil {
			return err
		}
		members, err := o.Source.MembersOf(ctx, o.sourceBrokers, want.groups)
		if err != nil {
			return err
		}
		uses = clusters.UsesOf(members, want.groups)
		for _, topic := range want.topics {
			if want.types[topic] == plan.TypeTransaction {
				uses[brokerconfig.Transacting] = append(uses[brokerconfig.Transacting], topic)
			}
		}
	}
	for _, f := range clusters.Differences(brokerconfig.Compare(source, target, uses)) {
		if f.Refusal {
			o.conflicts = append(o.conflicts, f)
		} else {
			o.warnings = append(o.warnings, f)
		}
	}
	return nil
}
