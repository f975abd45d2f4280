package positions

import (
	"context"
	"fmt"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// leftSuffix is added to the lanes' consumer group to make the group whose positions say which
// queues applications have left.
const leftSuffix = "-left"

// leftMark is added to the offset at which a queue was left, so that the position is greater than
// every offset: brokers forget positions before a queue's first message, and this one must be known
// until the migration ends. Position 0 says that the queue isn't left.
const leftMark = 1 << 50

// Leave notes that applications have left the lane's source queue, at its present end. What they
// write there from now on makes them stragglers, whichever worker runs the lane. A queue that was
// left before keeps its note.
func (p *Positions) Leave(ctx context.Context, lane lane.Lane) error {
	source, _ := p.queues(lane)
	if _, left, err := p.Left(ctx, lane); left || err != nil {
		return err
	}
	_, end, err := source.Bounds(ctx)
	if err != nil {
		return err
	}
	return p.noteLeft(ctx, lane, leftMark+end)
}

// Enter removes the note of Leave: applications write to the lane's source queue again.
func (p *Positions) Enter(ctx context.Context, lane lane.Lane) error {
	if _, left, err := p.Left(ctx, lane); !left || err != nil {
		return err
	}
	return p.noteLeft(ctx, lane, 0)
}

// Left is the offset at which applications left the lane's source queue; false if they didn't.
func (p *Positions) Left(ctx context.Context, lane lane.Lane) (offset int64, left bool, err error) {
	err = remoting.RetryRead(ctx, func() error {
		offset, left, err = LeftAt(ctx, p.source, p.names, lane)
		return err
	})
	return offset, left, err
}

// LeftAt is the offset at which applications left a lane's source queue, as that side says; false
// if they didn't leave it.
func LeftAt(
	ctx context.Context,
	side replica.Side,
	names replica.Names,
	lane lane.Lane,
) (offset int64, left bool, err error) {
	at, known, err := side.Position(ctx, names.Group+leftSuffix, lane.Topic, lane.Source)
	return at - leftMark, known && at >= leftMark, err
}

// noteLeft writes the note and reads it back: brokers acknowledge positions that they don't keep.
func (p *Positions) noteLeft(ctx context.Context, lane lane.Lane, note int64) error {
	group := p.names.Group + leftSuffix
	if err := p.source.EnsureGroup(ctx, lane.Source.Broker, group); err != nil {
		return err
	}
	if err := p.source.Commit(ctx, group, lane.Topic, lane.Source, note); err != nil {
		return err
	}
	got, _, err := p.source.Position(ctx, group, lane.Topic, lane.Source)
	if err == nil && got != note {
		err = fmt.Errorf("group %s, topic %s, queue %s: position %d was acknowledged and reads back as %d",
			group, lane.Topic, lane.Source, note, got)
	}
	return err
}
