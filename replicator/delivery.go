package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// delivery sends a batch, on a goroutine of its own. It holds copies of what it needs from the
// copying loop.
type delivery struct {
	lane   *laneWorker
	stamps replica.Stamper
	alone  bool // the batch is one message that must be sent alone
}

// send sends a batch. A batch that is in flight when the run ends may still be answered, so that
// the last commit is right.
func (d *delivery) send(ctx context.Context, batch rocketmq.BatchRequest, newest int64) sent {
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.lane.timing.sendTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(d.lane.timing.finish, cancel) })()
	result, err := d.lane.target.Send(sending, d.lane.Target.Broker, batch, d.alone)
	if err == nil && replica.Alone(d.lane.Topic) {
		err = d.checkRetry(sending, result, newest)
	}
	return sent{result, err}
}

// Lanes of retry topics differ from others. They send each message alone, since 5.x brokers take no
// batches for these topics. Then they check where the copy was stored: from 5.1 on, brokers make it
// a dead letter while members of the group hold queues locked. They don't copy what the group has
// already tried again.

// tried is where a forward lane begins that never ran: at the first message, or, on a retry topic,
// at the position of its group.
func (l *laneWorker) tried(ctx context.Context, first, last int64) (int64, error) {
	group, retry := rocketmq.RetryGroup(l.Topic)
	if !retry {
		return first, nil
	}
	at, known, err := l.source.Position(ctx, group, l.Topic, l.Source)
	if err != nil || !known {
		return first, err
	}
	return min(max(at, first), last), nil
}

// checkRetry looks for the copy of an offset where the target says that it stored it. A copy that
// became a dead letter is a fault; a copy that can't be found in time is an error.
func (d *delivery) checkRetry(ctx context.Context, stored rocketmq.SendResult, offset int64) error {
	group, _ := rocketmq.RetryGroup(d.lane.Topic)
	there := d.lane.to()
	dead := there
	dead.Topic, dead.ID = rocketmq.DLQTopic(group), stored.Queue
	for {
		found, err := d.copyAt(ctx, there, stored.Offset, offset)
		if found {
			return nil
		}
		if err == nil {
			if found, _ = d.copyAt(ctx, dead, stored.Offset, offset); found { // it fails if there is no such topic
				return d.deadRetry(offset, dead.Topic)
			}
			err = sleep.For(ctx, replica.LookPause)
		}
		if err != nil {
			return fmt.Errorf(
				"topic %s: the copy of offset %d was acknowledged at %d of target queue %s and can't be seen there: %w",
				d.lane.Topic, offset, stored.Offset, d.lane.Target, err,
			)
		}
	}
}

// copyAt reports whether the lane's copy of an offset lies at a position of a queue.
func (d *delivery) copyAt(ctx context.Context, q replica.Reader, position, offset int64) (bool, error) {
	first, end, err := q.Bounds(ctx)
	if err != nil || position < first || position >= end {
		return false, err
	}
	m, there, err := q.One(ctx, position)
	copied, ours := d.stamps.Offset(&m)
	return there && ours && copied == offset, err
}

func (d *delivery) deadRetry(offset int64, topic string) error {
	return d.lane.Fault(
		lane.TargetRefused,
		offset,
		offset+1,
		"Skip the message if it may stay a dead letter. To have it tried again, stop the group's orderly "+
			"members on the target for a minute, then try again",
		"the target put the copy into %s: it does so while members of the group hold queues locked there",
		topic,
	)
}
