package replica

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// PageMessages is how many messages a scan asks for at once. Brokers give 32 unless they are
// configured otherwise.
const PageMessages = 256

// Message is a message and its position in the queue it was pulled from. The position isn't the
// offset in the message: some broker versions skip offsets there after a refused message.
type Message struct {
	Position int64
	*remoting.Message
	Skip bool   // the other side has it already
	Via  string // clusters that it came through
}

// At gives the messages of a pull their positions.
func At(offset int64, result rocketmq.PullResult) []Message {
	return AppendPlaced(make([]Message, 0, len(result.Messages)), offset, result)
}

// AppendPlaced appends the messages of a pull at an offset, with their positions.
func AppendPlaced(all []Message, offset int64, result rocketmq.PullResult) []Message {
	dense := result.Next-offset == int64(len(result.Messages))
	for i := range result.Messages {
		m := Message{Position: offset + int64(i), Message: &result.Messages[i]}
		if !dense { // the broker left messages out, so that only the message itself says where it was
			m.Position = m.QueueOffset
		}
		all = append(all, m)
	}
	return all
}

// Reader reads a queue of one side.
type Reader struct {
	Side  Side
	Group string
	Topic string
	lane.Queue
	Between func(context.Context) error // if given, called before each page
}

// Bounds returns the offsets [first, end) that the queue holds.
func (q Reader) Bounds(ctx context.Context) (first, end int64, err error) {
	err = remoting.RetryRead(ctx, func() error {
		first, end, err = q.Side.Bounds(ctx, q.Topic, q.Queue)
		return err
	})
	return first, end, err
}

// Position is what the reader's group has committed; false if it has nothing.
func (q Reader) Position(ctx context.Context) (offset int64, known bool, err error) {
	err = remoting.RetryRead(ctx, func() error {
		offset, known, err = q.Side.Position(ctx, q.Group, q.Topic, q.Queue)
		return err
	})
	return offset, known, err
}

// Page reads messages from an offset on, which must lie within the queue: brokers write an event
// message for each pull outside of it. next is where the following page begins; it is after the
// last message plus those that are gone.
func (q Reader) Page(ctx context.Context, offset int64, most int) (messages []Message, next int64, err error) {
	result, err := q.Pull(ctx, offset, most)
	if err != nil {
		return nil, offset, err
	}
	if next, err = q.After(offset, result); err != nil {
		return nil, offset, err
	}
	return At(offset, result), next, nil
}

// Pull reads up to a page of messages from an offset on, without waiting.
func (q Reader) Pull(ctx context.Context, offset int64, most int) (rocketmq.PullResult, error) {
	return q.AwaitPull(ctx, offset, most, 0)
}

// AwaitPull waits for a message at the end of the queue.
func (q Reader) AwaitPull(
	ctx context.Context,
	offset int64,
	most int,
	wait time.Duration,
) (result rocketmq.PullResult, err error) {
	err = remoting.RetryRead(ctx, func() error {
		result, err = q.Side.Pull(ctx, q.Group, q.Topic, q.Queue, offset, most, wait)
		return err
	})
	return result, err
}

// After is where the page after the answer to a pull begins.
func (q Reader) After(offset int64, result rocketmq.PullResult) (next int64, err error) {
	switch {
	case result.Status == rocketmq.PullFound && result.Next > offset:
		return result.Next, nil
	case result.Status != rocketmq.PullFound && max(result.Next, result.Min) > offset:
		return max(result.Next, result.Min), nil
	}
	return offset, fmt.Errorf(
		"topic %s, queue %s: nothing can be read at offset %d, though the queue holds %d to %d: was it made anew?",
		q.Topic, q.Queue, offset, result.Min, result.Max,
	)
}

// One reads the message at a position within the queue; false if it is gone.
func (q Reader) One(ctx context.Context, position int64) (remoting.Message, bool, error) {
	messages, _, err := q.Page(ctx, position, 1)
	if err != nil || len(messages) == 0 || messages[0].Position != position {
		return remoting.Message{}, false, err
	}
	return *messages[0].Message, true, nil
}

// Each calls visit for the messages in [from, to) until it returns false.
func (q Reader) Each(ctx context.Context, from, to int64, visit func(Message) bool) error {
	for from < to {
		if q.Between != nil {
			if err := q.Between(ctx); err != nil {
				return err
			}
		}
		messages, next, err := q.Page(ctx, from, int(min(to-from, PageMessages)))
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Position >= to || !visit(m) {
				return nil
			}
		}
		from = next
	}
	return nil
}

// LastBefore finds the last message in [from, to) that is wanted. It reads backwards, in pages.
func (q Reader) LastBefore(
	ctx context.Context,
	from, to int64,
	wanted func(Message) bool,
) (found Message, ok bool, err error) {
	// The wanted message is mostly close to the end.
	for step := int64(1); from < to && !ok; step = min(4*step, PageMessages) {
		start := max(from, to-step)
		err = q.Each(ctx, start, to, func(m Message) bool {
			if wanted(m) {
				found, ok = m, true
			}
			return true
		})
		if err != nil {
			return found, false, err
		}
		to = start
	}
	return found, ok, nil
}
