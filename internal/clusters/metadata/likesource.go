package metadata

import (
	"context"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
)

// LikeSource are the lines with which a new target behaves as the source does.
func LikeSource(ctx context.Context, source *clusters.One) (map[string]string, error) {
	brokers, err := source.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	settings, err := source.BrokerSettings(ctx, brokers)
	return brokerconfig.Provided(settings), err
}
