package activities

import (
	"context"
	"time"

	"rocketshift/replicator"
)

// ReplicateRequest is the forward lanes of one source broker.
type ReplicateRequest struct {
	Request
	Broker string `json:"broker"`
}

// ReplicationState is how far all lanes of the plan are, measured on the brokers (lane group's offsets), not in the replicator.
type ReplicationState struct {
	Lanes    int       `json:"lanes"`
	Lag      int64     `json:"lag"`
	Worst    string    `json:"worst,omitempty"` // the lane with the most lag
	Measured time.Time `json:"measured"`
}

// ReplicationProgress is the heartbeat of a Replicate activity.
type ReplicationProgress struct {
	Broker string `json:"broker"`
	replicator.Progress
}

// Replication runs and measures lanes.
type Replication struct{ settings Settings }

// NewReplication returns the activities of Replicate.
func NewReplication(s Settings) *Replication { return &Replication{s.withDefaults()} }

// Replicate runs the forward lanes of one source broker until it is cancelled.
func (r *Replication) Replicate(ctx context.Context, q ReplicateRequest) (ReplicationProgress, error) {
	panic("stub")
}

// AwaitCaughtUp waits until every lane is close to its end.
func (r *Replication) AwaitCaughtUp(ctx context.Context, q Request) (ReplicationState, error) {
	panic("stub")
}

// AwaitDrained waits until the lanes of the topics have copied everything and nothing more comes.
func (r *Replication) AwaitDrained(ctx context.Context, q TopicsRequest) (ReplicationState, error) {
	panic("stub")
}
