package replicator

import (
	"context"
	"strconv"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/rocketmq"
)

// batches says which batches a broker takes.
type batches struct {
	bytes int  // at most so many in one; 0 if it doesn't say
	none  bool // it takes none: each message is sent alone, and is stored without what would make the broker act on it
	// untold says that it may take none: its configuration can't be read, and its version lets it. Lanes learn it by its answers.
	untold bool
	alone  bool // copies there may have been sent alone: it takes none, or may have taken none before an upgrade
}

// takes reads what the broker's configuration says. A batch is as long as a message may be, and
// lies in one file of the commit log. Who may not read the configuration learns the limit by
// refusals. It is asked once.
func (b *brokers) takes(ctx context.Context, broker string) (batches, error) {
	if known, is := b.taken.Load(broker); is {
		return known.(batches), nil
	}
	found, err := b.askTakes(ctx, broker)
	if err == nil {
		b.taken.Store(broker, found)
	}
	return found, err
}

// Singly are the brokers of a cluster to which lanes send each message alone, as they take no batches,
// and those that may take none and don't tell: lanes learn it by their answers.
func Singly(ctx context.Context, cluster *rocketmq.Cluster) (alone, unsure []string, err error) {
	if cluster.Proxy() != "" { // there is none before 5.x
		return nil, nil, nil
	}
	all, err := cluster.Brokers(ctx)
	if err != nil {
		return nil, nil, err
	}
	side := newBrokers(SideTarget, cluster)
	for _, b := range all {
		if b.Slave {
			continue // nothing is sent to it
		}
		takes, err := side.takes(ctx, b.Name)
		switch {
		case err != nil:
			return nil, nil, err
		case takes.none:
			alone = append(alone, b.Name)
		case takes.untold:
			unsure = append(unsure, b.Name)
		}
	}
	return alone, unsure, nil
}

// batchesOf is what a broker of a version takes by its configuration; nil where it can't be read.
func batchesOf(version string, config map[string]string) batches {
	found := batches{none: brokerconfig.RefusesBatches(version, config)}
	found.untold = config == nil && brokerconfig.MayRefuseBatches(version)
	found.alone = found.none || brokerconfig.MayHaveRefusedBatches(version, config)
	return found
}

func (b *brokers) askTakes(ctx context.Context, broker string) (batches, error) {
	config, err := at(ctx, b, broker,
		func(addr string) (map[string]string, error) { return b.Client().BrokerConfig(ctx, addr) })
	if rocketmq.CodeOf(err) >= 0 && !rocketmq.Retryable(err) {
		config, err = nil, nil
	}
	if err != nil {
		return batches{}, err
	}
	is, err := b.Broker(ctx, broker)
	if err != nil {
		return batches{}, &SideError{b.side, broker, err}
	}
	found := batchesOf(is.Version, config)
	// what surrounds a message in a file is small
	for name, share := range map[string]int{"maxMessageSize": 1, "mappedFileSizeCommitLog": 2} {
		if n, err := strconv.Atoi(config[name]); err == nil && n > 0 && (found.bytes == 0 || n/share < found.bytes) {
			found.bytes = n / share
		}
	}
	return found, nil
}
