package activities

import (
	"context"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// countNatives counts what producers wrote on a side, by topic.
func countNatives(ctx context.Context, s clusters.Both, l clusters.Layout, side api.Side, topics []string) (map[string]int64, error) {
	lanes, err := l.AllLanes(topics)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	var mu sync.Mutex
	err = clusters.Each(ctx, lanes, func(ctx context.Context, lane lane.Lane) error {
		found, err := nativesOf(ctx, s, lane, side)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		counts[lane.Topic] += found.Count
		return nil
	})
	return counts, s.Explain(ctx, err)
}

func nativesOf(ctx context.Context, s clusters.Both, lane lane.Lane, side api.Side) (positions.Natives, error) {
	if side == api.Source {
		return s.Translator.Reversed().Natives(ctx, lane.Back())
	}
	return s.Translator.Natives(ctx, lane)
}
