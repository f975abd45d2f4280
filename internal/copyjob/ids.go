package copyjob

import (
	"context"
	"errors"
	"math"
	"slices"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// copiesLook is how many messages at each end of a queue are searched for earlier copies: as many
// as a broker gives at once. Applications may have written after all copies.
const copiesLook = 32

// anyGroup is built into every broker, so that reading with it makes no new group.
const anyGroup = "TOOLS_CONSUMER"

// checkIDs refuses ids under which earlier copies can't be found: all of them would be copied once
// more. Where ids are made of addresses, another name server on the command line is enough for
// that. Lanes with progress under the copy's name need no such check: the replicator itself notices
// that their copies are missing.
func (c *Job) checkIDs(ctx context.Context, lanes []lane.Lane, found *failure.Problems) error {
	places := positions.New(c.Source, c.Target, c.names)
	for _, lane := range lanes {
		copied, _, err := places.Progress(ctx, lane)
		if err != nil {
			return failure.Broken("run it again when all brokers answer", "%s: %w", lane, err)
		}
		if copied > 0 {
			continue
		}
		stamp, earlier, err := c.earlierCopy(ctx, lane)
		switch {
		case err != nil:
			return failure.Broken("run it again when all brokers answer", "%s: %w", lane, err)
		case !earlier:
		case stamp.Cluster != c.names.Source:
			found.Once(
				"--source-id",
				"target queue %s of topic %s holds copies that were made under the source's id %s, not %s, "+
					"and would be copied again; "+
					"give --source-id %s",
				lane.Target,
				lane.Topic,
				stamp.Cluster,
				c.names.Source,
				stamp.Cluster,
			)
		default:
			_, err := places.Forward(ctx, lane, stamp.Offset+1)
			if errors.Is(err, positions.ErrNotCopiedYet) {
				found.Once(
					"--target-id",
					"target queue %s of topic %s holds copies that were made under another id of the target "+
						"than %s, and would be copied again; "+
						"give that --target-id, or the same --target addresses as then",
					lane.Target,
					lane.Topic,
					c.names.Target,
				)
			} else if err != nil {
				return failure.Broken("run it again when all brokers answer", "%s: %w", lane, err)
			}
		}
	}
	return nil
}

// fromFirst is a position that lies before the first message of any queue, counted from the end.
const fromFirst = math.MinInt64 / 2

// earlierCopy finds, at an end of the target queue, a copy of what the source queue holds, made
// under any ids.
func (c *Job) earlierCopy(ctx context.Context, lane lane.Lane) (stamp replica.Stamp, found bool, err error) {
	for _, at := range []int64{-copiesLook, fromFirst} {
		messages, err := c.pull(ctx, c.Target, lane.Topic, lane.Target, at)
		if err != nil {
			return stamp, false, err
		}
		if stamp, found, err = c.copyAmong(ctx, lane, messages); found || err != nil {
			return stamp, found, err
		}
	}
	return replica.Stamp{}, false, nil
}

// copyAmong finds the last of these messages that is a copy of what the source queue holds.
func (c *Job) copyAmong(
	ctx context.Context, lane lane.Lane, messages []remoting.Message,
) (replica.Stamp, bool, error) {
	for _, m := range slices.Backward(messages) {
		stamp, ok := replica.ParseStamp(m.Properties)
		if !ok || stamp.Topic != lane.Topic || stamp.Broker != lane.Source.Broker || stamp.Queue != lane.Source.ID {
			continue
		}
		originals, err := c.pull(ctx, c.Source, lane.Topic, lane.Source, stamp.Offset)
		if err != nil || len(originals) == 0 {
			return stamp, false, err
		}
		if _, same := replica.SameMessage(&originals[0], &m); same {
			return stamp, true, nil
		}
	}
	return replica.Stamp{}, false, nil
}

// pull reads some messages of a queue from a position on; a negative position counts from the end.
// Positions outside of the queue give no messages.
func (c *Job) pull(
	ctx context.Context,
	from *rocketmq.Cluster,
	topic string,
	q lane.Queue,
	at int64,
) (found []remoting.Message, err error) {
	err = remoting.RetryRead(ctx, func() error {
		b, err := from.Broker(ctx, q.Broker)
		if err != nil {
			return err
		}
		first, err := from.Client().MinOffset(ctx, b.Addr, topic, q.ID)
		if err != nil {
			return err
		}
		end, err := from.Client().MaxOffset(ctx, b.Addr, topic, q.ID)
		if err != nil {
			return err
		}
		begin := at
		if at < 0 {
			begin = max(first, end+at)
		}
		if begin < first || begin >= end {
			return nil
		}
		r, err := from.Client().Pull(ctx, b.Addr, rocketmq.PullRequest{
			Group: anyGroup, Topic: topic, Queue: q.ID, Offset: begin, Max: copiesLook,
		})
		found = r.Messages
		return err
	})
	return found, err
}

// firstCopy is the position of the first copy on the target queue, where the reverse lane begins;
// the end of the queue without any.
func (c *Job) firstCopy(ctx context.Context, lane lane.Lane) (int64, error) {
	broker, err := c.Target.Broker(ctx, lane.Target.Broker)
	if err != nil {
		return 0, err
	}
	at, err := c.Target.Client().MinOffset(ctx, broker.Addr, lane.Topic, lane.Target.ID)
	if err != nil {
		return 0, err
	}
	for {
		messages, err := c.pull(ctx, c.Target, lane.Topic, lane.Target, at)
		if err != nil || len(messages) == 0 {
			return at, err
		}
		for i, m := range messages {
			stamp, ok := replica.ParseStamp(m.Properties)
			if ok && stamp.Cluster == c.names.Source && stamp.Topic == lane.Topic &&
				stamp.Broker == lane.Source.Broker &&
				stamp.Queue == lane.Source.ID {
				return at + int64(i), nil
			}
		}
		at += int64(len(messages))
	}
}
