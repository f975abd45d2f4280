package measure

import (
	"context"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/replicator/lane"
)

const (
	// shareTolerance is by how many percent of all messages what went to the target may differ from
	// what the homes ask for: delayed messages and ends of transactions that were sent before a
	// move surface afterwards where they were sent.
	shareTolerance = 1.0
)

// Soak is where all queues ended when messages began to be counted. It stays in the worker: of
// 10,000 queues it is too large for a history.
type Soak struct {
	Since time.Time
	Ends  map[lane.Lane]Ends
}

// Ends are the offsets at which the queues of a lane end.
type Ends struct{ source, target int64 }

// BeginSoak notes where all queues of the topics end.
func BeginSoak(ctx context.Context, s clusters.Both, topics []string) (Soak, error) {
	begun := Soak{Since: time.Now().UTC()} // before the look: a message in between is counted
	ends, err := EndsOf(ctx, s, topics)
	begun.Ends = ends
	return begun, err
}
