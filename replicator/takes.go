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

func (b *brokers) askTakes(ctx context.Context, broker string) (batches, error) {
	config, err := at(ctx, b, broker,
		func(addr string) (map[string]string, error) { return b.Client().BrokerConfig(ctx, addr) })
	if rocketmq.CodeOf(err) >= 0 && !rocketmq.Retryable(err) {
		return batches{}, nil
	}
	if err != nil {
		return batches{}, err
	}
	is, err := b.Broker(ctx, broker)
	if err != nil {
		return batches{}, &SideError{b.side, broker, err}
	}
	found := batches{none: brokerconfig.RefusesBatches(is.Version, config)}
	// what surrounds a message in a file is small
	for name, share := range map[string]int{"maxMessageSize": 1, "mappedFileSizeCommitLog": 2} {
		if n, err := strconv.Atoi(config[name]); err == nil && n > 0 && (found.bytes == 0 || n/share < found.bytes) {
			found.bytes = n / share
		}
	}
	return found, nil
}
