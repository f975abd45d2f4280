package activities

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/replicator"
)

// defaultLook is how soon lanes of a new topic start.
const defaultLook = 30 * time.Second

// lookForTopics starts lanes for topics and queues that the source got, and brings them to the
// target first.
func lookForTopics(
	ctx context.Context, s clusters.Both,
	q ReplicateRequest,
	look time.Duration,
	f *metadata.Follower,
	copier *replicator.Replicator,
	b *beater,
) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l, err := s.Layout(ctx)
		if err != nil {
			continue // a side is away: the lanes say so
		}
		hindrances := f.Follow(ctx, l)
		if l, err = s.Layout(ctx); err != nil {
			continue
		}
		lanes, unpaired := lanesFrom(ctx, s, l, q)
		unpaired = append(hindrances, unpaired...)
		left, _ := copier.Add(lanes) // it may have ended meanwhile
		for _, lane := range left {
			unpaired = append(
				unpaired,
				fmt.Sprintf(
					"%s: the topic's queues changed, and one of these has another lane: messages of new "+
						"queues wait until Replicate is started again",
					lane,
				),
			)
		}
		b.unpaired(unpaired)
	}
}
