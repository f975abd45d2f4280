package ledger

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters/metadata"
)

// drift enters groups that aren't on the target as they are on the source by now: once the source
// is retired, nobody knows how they were there.
func (b *Builder) drift(ctx context.Context) error {
	found, err := metadata.Drift(ctx, b.Both, b.Layout)
	for _, d := range found {
		b.Drift = append(
			b.Drift,
			api.LedgerRow{Kind: KindMetadata, Object: "group " + d.Group, Rest: 1, Detail: d.Cause},
		)
	}
	return err
}
