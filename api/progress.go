package api

import (
	"fmt"
	"time"

	"rocketshift/replicator/lane"
)

// SyncProgress is the heartbeat and the result of the Sync activity.
type SyncProgress struct {
	Rounds int64 `json:"rounds"`
	Groups int   `json:"groups"`         // refreshed in the last round, on the target
	Back   int   `json:"back,omitempty"` // refreshed in that round on the source: they have moved
	// not refreshed: a move, or a gateway, owns their positions
	Skipped int       `json:"skipped"`
	Written int64     `json:"written"`
	Waiting string    `json:"waiting,omitempty"`
	At      time.Time `json:"at"`
	// Past are the clients that bypass the gateways, at PastAt; mode gateway.
	Past   *Past     `json:"past,omitempty"`
	PastAt time.Time `json:"pastAt,omitzero"`
}

// Urgent is what people must learn before the next heartbeat is due: what positions wait for, that
// the gateways answer, and that clients bypass them.
func (p SyncProgress) Urgent() string {
	return fmt.Sprint(p.Waiting != "", p.PastAt.IsZero(), p.Past.String() != "")
}

// ReplicationProgress is the heartbeat and the result of a Replicate activity.
type ReplicationProgress struct {
	Broker string `json:"broker"`
	// Holder names the attempt that holds the lanes' locks.
	Holder string `json:"holder,omitempty"`
	// Unpaired are topics of the plan that have no lanes, with the cause.
	Unpaired []string `json:"unpaired,omitempty"`
	// Offers is how many workers in a row left the shard to one that has fewer.
	Offers int `json:"offers,omitempty"`
	// Lost says what the workers' store has lost that the lanes went by.
	Lost string `json:"lost,omitempty"`
	lane.Progress
}

// Urgent is what people must learn before the next heartbeat is due: that lanes run, and what is
// wrong with them.
func (p ReplicationProgress) Urgent() string {
	text := fmt.Sprint(p.Lanes > 0, len(p.Faults), p.Waiting != "", len(p.Unpaired), len(p.Stragglers) > 0, p.Lost)
	if p.Back != nil {
		text += fmt.Sprint(len(p.Back.Faults), p.Back.Waiting != "", len(p.Back.Stragglers) > 0)
	}
	return text
}
