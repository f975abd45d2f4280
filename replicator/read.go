package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
)

// pageMessages is how many messages a scan asks for at once. Brokers give 32 unless they are configured otherwise.
const pageMessages = 256

// placed is a message and its position in the queue it was pulled from. The position isn't the offset in the message: some
// broker versions skip offsets there after a refused message.
type placed struct {
	position int64
	*rocketmq.Message
	skip bool   // the other side has it
	via  string // clusters that it came through
}

// place gives the messages of a pull their positions.
func place(offset int64, result rocketmq.PullResult) []placed {
	return appendPlaced(make([]placed, 0, len(result.Messages)), offset, result)
}

func appendPlaced(all []placed, offset int64, result rocketmq.PullResult) []placed {
	dense := result.Next-offset == int64(len(result.Messages))
	for i := range result.Messages {
		m := placed{position: offset + int64(i), Message: &result.Messages[i]}
		if !dense { // the broker left some out, so that only the message itself knows where it was
			m.position = m.QueueOffset
		}
		all = append(all, m)
	}
	return all
}

// queue is a queue of one side, to be read.
type queue struct {
	side  replica
	group string
	topic string
	Queue
	between func(context.Context) error // if given, called before each page
}

func (q queue) bounds(ctx context.Context) (first, end int64, err error) {
	err = rocketmq.RetryRead(ctx, func() error {
		first, end, err = q.side.bounds(ctx, q.topic, q.Queue)
		return err
	})
	return first, end, err
}

func (q queue) position(ctx context.Context) (offset int64, known bool, err error) {
	err = rocketmq.RetryRead(ctx, func() error {
		offset, known, err = q.side.position(ctx, q.group, q.topic, q.Queue)
		return err
	})
	return offset, known, err
}

// page reads messages from an offset on, which must lie within the queue: brokers write an event message for each pull
// outside of it. Next is where the following page begins; it is beyond the last message where some are gone.
func (q queue) page(ctx context.Context, offset int64, most int) (messages []placed, next int64, err error) {
	result, err := q.pull(ctx, offset, most)
	if err != nil {
		return nil, offset, err
	}
	if next, err = q.after(offset, result); err != nil {
		return nil, offset, err
	}
	return place(offset, result), next, nil
}

func (q queue) pull(ctx context.Context, offset int64, most int) (rocketmq.PullResult, error) {
	return q.awaitPull(ctx, offset, most, 0)
}

// awaitPull waits for a message at the end of the queue.
func (q queue) awaitPull(ctx context.Context, offset int64, most int, wait time.Duration) (result rocketmq.PullResult, err error) {
	err = rocketmq.RetryRead(ctx, func() error {
		result, err = q.side.pull(ctx, q.group, q.topic, q.Queue, offset, most, wait)
		return err
	})
	return result, err
}

// after is where the page behind the answer to a pull begins.
func (q queue) after(offset int64, result rocketmq.PullResult) (next int64, err error) {
	switch {
	case result.Status == rocketmq.PullFound && result.Next > offset:
		return result.Next, nil
	case result.Status != rocketmq.PullFound && max(result.Next, result.Min) > offset:
		return max(result.Next, result.Min), nil
	}
	return offset, fmt.Errorf("topic %s, queue %s: nothing can be read at offset %d, though the queue holds %d to %d: was it made anew?",
		q.topic, q.Queue, offset, result.Min, result.Max)
}

// one reads the message at a position within the queue; false if it is gone.
func (q queue) one(ctx context.Context, position int64) (rocketmq.Message, bool, error) {
	messages, _, err := q.page(ctx, position, 1)
	if err != nil || len(messages) == 0 || messages[0].position != position {
		return rocketmq.Message{}, false, err
	}
	return *messages[0].Message, true, nil
}

// each calls visit for the messages in [from, to) until it returns false.
func (q queue) each(ctx context.Context, from, to int64, visit func(placed) bool) error {
	for from < to {
		if q.between != nil {
			if err := q.between(ctx); err != nil {
				return err
			}
		}
		messages, next, err := q.page(ctx, from, int(min(to-from, pageMessages)))
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.position >= to || !visit(m) {
				return nil
			}
		}
		from = next
	}
	return nil
}

// lastBefore finds the last message in [from, to) that is wanted, reading backwards in pages.
func (q queue) lastBefore(ctx context.Context, from, to int64, wanted func(placed) bool) (found placed, ok bool, err error) {
	for step := int64(1); from < to && !ok; step = min(4*step, pageMessages) { // what is looked for is mostly right there
		start := max(from, to-step)
		err = q.each(ctx, start, to, func(m placed) bool {
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
