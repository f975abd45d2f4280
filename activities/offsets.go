package activities

import (
	"context"
	"time"
)

// SyncProgress is the heartbeat and the result of the SyncOffsets activity.
type SyncProgress struct {
	Rounds  int64     `json:"rounds"`
	Groups  int       `json:"groups"`  // refreshed in the last round
	Skipped int       `json:"skipped"` // active on the target, or fenced on the source: the move owns their positions
	Written int64     `json:"written"`
	Waiting string    `json:"waiting,omitempty"`
	At      time.Time `json:"at"`
}

// Offsets keeps positions on the target.
type Offsets struct{ settings Settings }

// NewOffsets returns the activities of SyncOffsets.
func NewOffsets(s Settings) *Offsets { return &Offsets{s.withDefaults()} }

// Sync refreshes the target's positions of all groups that have not moved, until it is cancelled.
func (o *Offsets) Sync(ctx context.Context, r Request) (SyncProgress, error) { panic("stub") }
