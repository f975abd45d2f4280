package replicator

import (
	"context"

	"rocketshift/internal/rocketmq"
)

// VerifyOptions are the settings of a comparison.
type VerifyOptions struct {
	Group string // the lanes' consumer group, whose progress says how far the comparison goes
}

// LaneReport is the result of comparing a lane's two replicas.
type LaneReport struct {
	Topic      string   `json:"topic"`
	Source     Queue    `json:"source"`
	Target     Queue    `json:"target"`
	From       int64    `json:"from"` // source offsets from From up to, not including, To are compared
	To         int64    `json:"to"`
	Compared   int64    `json:"compared"`
	Natives    int64    `json:"natives"`
	Missing    int64    `json:"missing"`
	Extra      int64    `json:"extra"`
	Altered    int64    `json:"altered"`
	OutOfOrder int64    `json:"outOfOrder"`
	Examples   []string `json:"examples,omitempty"` // the first 5
}

// VerifyLane compares the lane's two replicas by content.
func VerifyLane(ctx context.Context, source, target *rocketmq.Cluster, lane Lane, o VerifyOptions, progress func(compared int64)) (LaneReport, error) {
	panic("stub")
}

// SameMessage compares a message with its copy and names the first difference.
func SameMessage(source, target rocketmq.Message) (difference string, same bool) { panic("stub") }
