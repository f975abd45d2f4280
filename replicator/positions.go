package replicator

import (
	"context"
	"errors"

	"rocketshift/internal/rocketmq"
)

// ErrNotCopiedYet says that the lane hasn't copied everything before the position, so there is nothing to translate to.
var ErrNotCopiedYet = errors.New("not copied yet")

// Translation is a position on the other side.
type Translation struct {
	Target int64 `json:"target"` // the position: on the target for Forward, on the source for Back
	Exact  bool  `json:"exact"`  // nothing is repeated; else a few messages may be
	Unread int64 `json:"unread"` // natives on the target that a reader of the other side doesn't get
}

// Natives are the messages on a target queue that no lane has copied there.
type Natives struct {
	Count       int64
	First, Last int64 // positions; both 0 without natives
}

// Positions translates positions between the two replicas of lanes.
type Positions struct{}

// NewPositions translates for the lanes of a group.
func NewPositions(source, target *rocketmq.Cluster, group string) *Positions { panic("stub") }

// Forward translates a position on the source to the target.
func (p *Positions) Forward(ctx context.Context, lane Lane, sourceOffset int64) (Translation, error) {
	panic("stub")
}

// Back translates a position on the target to the source.
func (p *Positions) Back(ctx context.Context, lane Lane, targetPosition int64) (Translation, error) {
	panic("stub")
}

// Progress returns the source offset up to which the lane has copied, and where the source queue ends.
func (p *Positions) Progress(ctx context.Context, lane Lane) (copied, sourceMax int64, err error) {
	panic("stub")
}

// Natives finds the natives on the lane's target queue.
func (p *Positions) Natives(ctx context.Context, lane Lane) (Natives, error) { panic("stub") }
