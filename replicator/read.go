package replicator

import (
	"context"
	"fmt"

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
	dense := result.Next-offset == int64(len(result.Messages))
	all := make([]placed, len(result.Messages))
	for i := range result.Messages {
		all[i] = placed{position: offset + int64(i), Message: &result.Messages[i]}
		if !dense { // the broker left some out, so that only the message itself knows where it was
			all[i].position = result.Messages[i].QueueOffset
		}
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
	var result rocketmq.PullResult
	err = rocketmq.RetryRead(ctx, func() error {
		result, err = q.side.pull(ctx, q.group, q.topic, q.Queue, offset, most, 0)
		return err
	})
	switch {
	case err != nil:
		return nil, offset, err
	case result.Status == rocketmq.PullFound && result.Next > offset:
		return place(offset, result), result.Next, nil
	case result.Status != rocketmq.PullFound && max(result.Next, result.Min) > offset:
		return nil, max(result.Next, result.Min), nil
	}
	return nil, offset, fmt.Errorf("topic %s, queue %s: nothing can be read at offset %d, though the queue holds %d to %d: was it made anew?",
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

// cursor reads [at, end) message by message.
type cursor struct {
	queue
	at, end int64
	page    []placed
}

// peek returns the next message without taking it; false at the end.
func (c *cursor) peek(ctx context.Context) (placed, bool, error) {
	for len(c.page) == 0 {
		if c.at >= c.end {
			return placed{}, false, nil
		}
		var err error
		if c.page, c.at, err = c.queue.page(ctx, c.at, int(min(c.end-c.at, pageMessages))); err != nil {
			return placed{}, false, err
		}
	}
	return c.page[0], c.page[0].position < c.end, nil
}

func (c *cursor) take() { c.page = c.page[1:] }
