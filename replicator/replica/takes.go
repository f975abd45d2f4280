package replica

import (
	"context"
	"strconv"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// Batches says which batches a broker takes.
type Batches struct {
	Bytes int  // most bytes of a batch; 0 if the broker doesn't say
	None  bool // it takes none: each message is sent alone, without what would make the broker act on it
	// Untold says that the broker may take none: its configuration can't be read, and its version
	// has that setting. Lanes find out by its answers.
	Untold bool
	Alone  bool // copies may have been sent alone: it takes no batches, or took none before an upgrade
}

// Takes reads the limits in the broker's configuration, once. A batch may be as long as a message,
// and lies in one file of the commit log. A user who may not read the configuration meets the limit
// by refusals.
func (b *Brokers) Takes(ctx context.Context, broker string) (Batches, error) {
	if known, is := b.Taken.Load(broker); is {
		return known.(Batches), nil
	}
	found, err := b.askTakes(ctx, broker)
	if err == nil {
		b.Taken.Store(broker, found)
	}
	return found, err
}

// Singly are the brokers of a cluster that take no batches, to which lanes send each message alone,
// and those that may take none and don't tell.
func Singly(ctx context.Context, cluster *rocketmq.Cluster) (alone, unsure []string, err error) {
	if cluster.Proxy() != "" { // proxies are 5.x, which takes batches
		return nil, nil, nil
	}
	all, err := cluster.Brokers(ctx)
	if err != nil {
		return nil, nil, err
	}
	side := NewBrokers(lane.SideTarget, cluster)
	for _, b := range all {
		if b.Slave {
			continue // lanes send nothing to it
		}
		takes, err := side.Takes(ctx, b.Name)
		switch {
		case err != nil:
			return nil, nil, err
		case takes.None:
			alone = append(alone, b.Name)
		case takes.Untold:
			unsure = append(unsure, b.Name)
		}
	}
	return alone, unsure, nil
}

// BatchesOf is what a broker of a version takes by its configuration; nil where it can't be read.
func BatchesOf(version string, config map[string]string) Batches {
	found := Batches{None: brokerconfig.RefusesBatches(version, config)}
	found.Untold = config == nil && brokerconfig.MayRefuseBatches(version)
	found.Alone = found.None || brokerconfig.MayHaveRefusedBatches(version, config)
	return found
}

func (b *Brokers) askTakes(ctx context.Context, broker string) (Batches, error) {
	config, err := at(ctx, b, broker,
		func(addr string) (map[string]string, error) { return b.Client().BrokerConfig(ctx, addr) })
	if remoting.CodeOf(err) >= 0 && !remoting.Retryable(err) {
		config, err = nil, nil
	}
	if err != nil {
		return Batches{}, err
	}
	is, err := b.Broker(ctx, broker)
	if err != nil {
		return Batches{}, &SideError{b.side, broker, err}
	}
	found := BatchesOf(is.Version, config)
	// The overhead of a message in a file is small.
	for name, share := range map[string]int{"maxMessageSize": 1, "mappedFileSizeCommitLog": 2} {
		if n, err := strconv.Atoi(config[name]); err == nil && n > 0 && (found.Bytes == 0 || n/share < found.Bytes) {
			found.Bytes = n / share
		}
	}
	return found, nil
}
