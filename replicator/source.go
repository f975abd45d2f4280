package replicator

import (
	"cmp"
	"context"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/replica"
)

// pull reads the next messages, or waits for one at the end of the queue.
func (c *copyLoop) pull(ctx context.Context) ([]replica.Message, rocketmq.PullResult, error) {
	if err := c.awaitShown(ctx); err != nil {
		return nil, rocketmq.PullResult{}, err
	}
	now := c.lane.state.snapshot()
	wait := c.lane.timing.pullWait
	if now.waiting != "" {
		wait = 0 // an answer at once shows that the broker serves again
	}
	most := c.lane.options.BatchMessages
	if known := now.readable() - now.next; known > 0 {
		most = int(min(known, int64(most))) // the messages after them need not be read
	}
	result, err := c.lane.source.Pull(ctx, c.lane.options.Group, c.lane.Topic, c.lane.Source, now.next, most, wait)
	messages, err := c.lane.accept(now.next, replica.Pulled{Result: result, Err: err})
	if err == nil {
		c.goodPulls++
	}
	return messages, result, err
}

// awaitShown waits until the queue shows the copies of the reverse lane that the lane has skipped.
// Brokers show messages a little after they acknowledged them; an earlier pull would seem to begin
// after the end of the queue. If they aren't shown in time, the pull shows what is wrong.
func (c *copyLoop) awaitShown(ctx context.Context) error {
	if !c.jumped {
		return nil
	}
	from := c.lane.from()
	for begin := time.Now(); time.Since(begin) < c.lane.timing.patience; {
		_, end, err := from.Bounds(ctx)
		if err != nil {
			return err
		}
		if end >= c.lane.state.snapshot().next {
			c.jumped = false
			return nil
		}
		if err := sleep.For(ctx, replica.LookPause); err != nil {
			return err
		}
	}
	return nil
}

// accept checks the answer to a pull and keeps the messages that follow the offset without a gap.
func (l *laneWorker) accept(next int64, p replica.Pulled) ([]replica.Message, error) {
	result := p.Result
	switch {
	case p.Err != nil:
		source, _ := l.ends()
		l.refusedAsBusy(source, p.Err)
		return nil, pullFault(l.Lane, p.Err, next)
	case result.Min > next:
		return nil, l.truncated(next, result.Min)
	case result.Max < next:
		return nil, l.fell(next, result.Max)
	}
	l.state.change(func(s *laneState) { s.end = max(result.Max, s.next) })
	messages := replica.At(next, result)
	for i, m := range messages {
		switch missing := next + int64(i); {
		case m.Position == missing:
		case i > 0:
			return messages[:i], nil // the next pull begins at what is missing
		default:
			return nil, l.unreadable(missing, m.Position)
		}
	}
	if len(messages) == 0 && result.Max > next {
		return nil, l.unreadable(next, max(result.Next, next+1))
	}
	return messages, nil
}

// reads are pulls of one queue in flight. Offsets are dense, and a broker mostly gives as many
// messages as before: so the next pull can begin before the last one is answered. Where an answer
// brings fewer, the pulls after it are thrown away. It belongs to the copying loop; the goroutine
// of a pull only sends the answer.
type reads struct {
	lane   *laneWorker
	flying []read
	next   int64 // where the next pull begins
	stride int   // messages that a pull of this queue brings; 0 if unknown
	depth  int   // pulls to have in flight; grows while the stride holds
	size   int64 // bytes that the last answer took
}

// firstSize is the most that an answer takes where brokers have their usual limits and messages
// aren't larger.
const firstSize = 320 << 10

type read struct {
	offset int64
	cost   int64 // bytes reserved
	most   int
	answer chan replica.Pulled
}

// fill starts pulls of what the queue is known to hold, as far as there is memory for their
// answers. An idle lane waits for memory.
func (r *reads) fill(ctx context.Context, idle bool) {
	for end := r.lane.state.snapshot().readable(); r.next < end && len(r.flying) < r.depth; {
		most := r.stride
		if most == 0 { // the answer shows how much the broker gives
			most = r.lane.options.BatchMessages
		}
		most = int(min(int64(most), end-r.next))
		cost := cmp.Or(r.size, firstSize)
		if !r.lane.memory.Try(cost) {
			if !idle || len(r.flying) > 0 || r.lane.memory.Wait(ctx, cost) != nil {
				return
			}
		}
		one := read{r.next, cost, most, make(chan replica.Pulled, 1)}
		r.flying = append(r.flying, one)
		go func() {
			result, err := r.lane.source.Pull(
				ctx,
				r.lane.options.Group,
				r.lane.Topic,
				r.lane.Source,
				one.offset,
				one.most,
				0,
			)
			one.answer <- replica.Pulled{Result: result, Err: err}
		}()
		if r.stride == 0 {
			r.next = end // the answer shows how many messages a pull brings
			return
		}
		r.next += int64(most)
	}
}

// abandon throws away what was asked for.
func (r *reads) abandon() {
	for _, one := range r.flying {
		r.lane.memory.Give(one.cost)
	}
	r.flying = nil
}

// oldest is the channel of the answer to the first of the pulls in flight.
func (r *reads) oldest() <-chan replica.Pulled {
	if len(r.flying) == 0 {
		return nil
	}
	return r.flying[0].answer
}

// take returns the messages of the oldest pull in flight, whose answer it is given.
func (r *reads) take(p replica.Pulled) ([]replica.Message, error) {
	one := r.flying[0]
	r.flying = r.flying[1:]
	r.size = p.Result.Size()
	r.lane.memory.Take(r.size - one.cost)
	messages, err := r.lane.accept(one.offset, p)
	if err != nil {
		return nil, err
	}
	got := len(messages)
	if r.stride > 0 && got >= one.most {
		r.depth = min(r.depth+1, replica.MaxReads)
		return messages, nil
	}
	r.abandon()
	r.next = one.offset + int64(got)
	if r.next < r.lane.state.snapshot().readable() {
		r.stride, r.depth = got, 2
	}
	return messages, nil
}
