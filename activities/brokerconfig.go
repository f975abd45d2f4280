package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// brokerSettings asks every broker of the side how it is configured. Who doesn't tell is unknown.
func (c *cluster) brokerSettings(
	ctx context.Context, brokers []rocketmq.Broker,
) ([]brokerconfig.Broker, error) {
	all := make([]brokerconfig.Broker, len(brokers))
	err := each(ctx, indexes(brokers), func(ctx context.Context, i int) (err error) {
		all[i], err = c.settingsOf(ctx, brokers[i])
		return err
	})
	return all, c.explain(ctx, err)
}

func (c *cluster) settingsOf(ctx context.Context, b rocketmq.Broker) (brokerconfig.Broker, error) {
	is := brokerconfig.Broker{Name: b.Name, Version: b.Version}
	if c.Proxy() != "" {
		is.Unknown = "a proxy stands before it, which doesn't tell them"
		return is, nil
	}
	values, err := c.Client().BrokerConfig(ctx, b.Addr)
	switch {
	case remoting.CodeOf(err) >= 0 && !remoting.Retryable(err):
		is.Unknown = err.Error()
	case err != nil:
		return is, err
	case len(values) == 0:
		is.Unknown = "it tells none"
	default:
		is.Values = values
	}
	return is, nil
}

// foundTarget is a target that exists already: its brokers, how they are configured, and what
// of it isn't seen.
type foundTarget struct {
	brokers  []rocketmq.Broker
	settings []brokerconfig.Broker
	gaps     []api.Finding
}

func (a *Assess) lookAtTarget(ctx context.Context, p plan.Plan) (t foundTarget, err error) {
	where, err := a.settings.clusters().whereTarget(ctx, p)
	if err != nil || where.addresses == nil {
		return t, err
	}
	open, err := a.settings.clusters().target(ctx, p)
	if err != nil {
		return t, err
	}
	if t.gaps, err = open.gaps(ctx); err != nil {
		return t, err
	}
	if t.brokers, err = open.brokers(ctx); err != nil {
		return t, err
	}
	t.settings, err = open.brokerSettings(ctx, t.brokers)
	return t, err
}

// usesOf are those of these groups that have members which depend on settings.
func usesOf(all map[string]connections, groups []string) brokerconfig.Uses {
	uses := brokerconfig.Uses{}
	for _, group := range groups {
		for kind, is := range all[group].uses {
			if is {
				uses[kind] = append(uses[kind], group)
			}
		}
	}
	return uses
}

func (inv *inventory) uses() brokerconfig.Uses {
	uses := usesOf(inv.online, inv.groups.selected(inv.plan))
	for _, topic := range inv.topics.selected(inv.plan, inv.brokers) {
		kind := inv.topic(topic).Type
		if kind == plan.TypeTransaction || kind == plan.TypeMixed && inv.samples[topic].kinds[plan.TypeTransaction] {
			uses[brokerconfig.Transacting] = append(uses[brokerconfig.Transacting], topic)
		}
	}
	return uses
}

// likeSource are the lines with which a new target behaves as the source does.
func (s Settings) likeSource(ctx context.Context, p plan.Plan) (map[string]string, error) {
	source, err := s.clusters().source(p)
	if err != nil {
		return nil, err
	}
	brokers, err := source.brokers(ctx)
	if err != nil {
		return nil, err
	}
	settings, err := source.brokerSettings(ctx, brokers)
	return brokerconfig.Provided(settings), err
}

func differences(all []brokerconfig.Difference) []api.Finding {
	var findings []api.Finding
	for _, d := range all {
		findings = append(findings, api.Finding(d))
	}
	return findings
}

// compareSettings finds how both sides' brokers are configured otherwise. Groups are asked only
// where one may depend on it.
func (o *objects) compareSettings(ctx context.Context, s Settings, r MetadataRequest) error {
	source, err := o.source.brokerSettings(ctx, o.sourceBrokers)
	if err != nil {
		return err
	}
	target, err := o.target.brokerSettings(ctx, o.targetBrokers)
	if err != nil {
		return err
	}
	uses := brokerconfig.Uses{}
	if brokerconfig.Depend(target) {
		want, err := s.wanted(ctx, r)
		if err != nil {
			return err
		}
		members, err := o.source.membersOf(ctx, o.sourceBrokers, want.groups)
		if err != nil {
			return err
		}
		uses = usesOf(members, want.groups)
		for _, topic := range want.topics {
			if want.types[topic] == plan.TypeTransaction {
				uses[brokerconfig.Transacting] = append(uses[brokerconfig.Transacting], topic)
			}
		}
	}
	for _, f := range differences(brokerconfig.Compare(source, target, uses)) {
		if f.Refusal {
			o.conflicts = append(o.conflicts, f)
		} else {
			o.warnings = append(o.warnings, f)
		}
	}
	return nil
}
