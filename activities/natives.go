package activities

import (
	"context"
	"sync"

	"rocketshift/replicator"
)

// natives counts what producers wrote on the target, by topic.
func (s sides) natives(ctx context.Context, l layout, topics []string) (map[string]int64, error) {
	lanes, err := l.allLanes(topics)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	var mu sync.Mutex
	err = each(ctx, lanes, func(ctx context.Context, lane replicator.Lane) error {
		found, err := s.translator.Natives(ctx, lane)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		counts[lane.Topic] += found.Count
		return nil
	})
	return counts, s.target.explain(ctx, err)
}
