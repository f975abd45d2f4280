package activities

import (
	"context"
	"sync"

	"rocketshift/api"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// natives counts what producers wrote on a side, by topic.
func (s sides) natives(ctx context.Context, l layout, side api.Side, topics []string) (map[string]int64, error) {
	lanes, err := l.allLanes(topics)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	var mu sync.Mutex
	err = each(ctx, lanes, func(ctx context.Context, lane lane.Lane) error {
		found, err := s.nativesOf(ctx, lane, side)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		counts[lane.Topic] += found.Count
		return nil
	})
	return counts, s.explain(ctx, err)
}

func (s sides) nativesOf(ctx context.Context, lane lane.Lane, side api.Side) (positions.Natives, error) {
	if side == api.Source {
		return s.translator.Reversed().Natives(ctx, lane.Back())
	}
	return s.translator.Natives(ctx, lane)
}
