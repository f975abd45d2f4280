package clusters

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// BrokerSettings asks every broker of the side how it is configured. Who doesn't tell is unknown.
func (c *One) BrokerSettings(
	ctx context.Context, brokers []rocketmq.Broker,
) ([]brokerconfig.Broker, error) {
	all := make([]brokerconfig.Broker, len(brokers))
	err := Each(ctx, Indexes(brokers), func(ctx context.Context, i int) (err error) {
		all[i], err = c.settingsOf(ctx, brokers[i])
		return err
	})
	return all, c.Explain(ctx, err)
}

func (c *One) settingsOf(ctx context.Context, b rocketmq.Broker) (brokerconfig.Broker, error) {
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

// UsesOf are those of these groups that have members which depend on settings.
func UsesOf(all map[string]Connections, groups []string) brokerconfig.Uses {
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

// Differences are findings about settings of brokers.
func Differences(all []brokerconfig.Difference) (found []api.Finding) {
	for _, d := range all {
		one := differenceIDs[d.Kind].Warning(d.Object, d.Next, "%s", d.Cause)
		if d.Refusal {
			one = one.Refused()
		}
		found = append(found, one)
	}
	return found
}

var differenceIDs = map[brokerconfig.Kind]findings.ID{
	brokerconfig.Differs: findings.SettingDiffers, brokerconfig.Uneven: findings.SettingUneven,
	brokerconfig.Unknown: findings.SettingUnknown, brokerconfig.NoBatches: findings.BatchesRefused,
}

// FindBrokers are the brokers that the name servers know; it fails while they know none.
func (c *One) FindBrokers(ctx context.Context) ([]rocketmq.Broker, error) {
	found, err := c.Brokers(ctx)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	if len(found) == 0 {
		return nil, fault.Unreachable(c.Side, nil,
			"the name servers %s of the %s know no broker: start the brokers, rocketshift goes on by itself",
			strings.Join(c.NameServers(), ", "), c.Side)
	}
	return found, nil
}

// Answering are the brokers that can be reached and written to, and what is wrong with the first
// other one.
func (c *One) Answering(
	ctx context.Context, brokers []rocketmq.Broker,
) ([]rocketmq.Broker, error) {
	failed := make([]error, len(brokers))
	_ = Each(ctx, Indexes(brokers), func(ctx context.Context, i int) error {
		_, err := c.Client().Runtime(ctx, brokers[i].Addr)
		switch {
		case remoting.Unreachable(err):
			failed[i] = err
		case brokers[i].Slave:
			failed[i] = c.Mastered(brokers[i : i+1])
		}
		return nil
	})
	var there []rocketmq.Broker
	for i, b := range brokers {
		if failed[i] == nil {
			there = append(there, b)
		}
	}
	return there, c.Explain(ctx, cmp.Or(failed...))
}

// Mastered fails with KindNotReady while a broker has no master: what is to be written there would
// be lost.
func (c *One) Mastered(brokers []rocketmq.Broker) error {
	if names := rocketmq.FromSlaves(brokers); len(names) > 0 {
		return fault.NotReady(
			"%s broker %s has no master and is read from its slave: nothing moves until its master is up; "+
				"start it, and it goes on by itself",
			c.Side,
			strings.Join(names, ", "),
		)
	}
	return nil
}

// ReadFrom says of which brokers a slave was read.
func ReadFrom(brokers []rocketmq.Broker) (all []string) {
	for _, b := range brokers {
		if b.Slave {
			all = append(all, fmt.Sprintf("%s (slave %s)", b.Name, b.Addr))
		}
	}
	return all
}
