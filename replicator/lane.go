package replicator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"rocketshift/internal/rocketmq"
)

// strikes is how often in a row a suspicion must be seen to be a fault.
const strikes = 3

// runner is one lane at work. Its run goroutine alone copies; the state is shared with the committer and the reporter.
type runner struct {
	Lane
	*Replicator
	stamper

	ready   bool      // next and tail are known to be right, and nothing is in flight
	unsure  bool      // a send is without an answer
	renewed time.Time // when the last successful renewal of the lock began; zero without the lock
	lapses  int       // how often the lock was too old to be relied on
	sure    time.Time // when the tail was last seen to be the lane's own: by reading it, or by a send

	mu    sync.Mutex
	state laneState
}

// laneState is how far a lane is.
type laneState struct {
	next, tail      int64 // source offset to copy next, target position behind the newest copy
	end             int64 // of the source queue, as last seen
	copied          int64
	started         bool // next and tail have been found
	saved           saved
	savedAt         time.Time
	committedBefore bool
	waiting         string // why the lane doesn't copy
	uncommitted     string // why its positions can't be committed
	fault           *LaneFault
}

// saved is what the lanes' group has as positions on both sides.
type saved struct{ next, tail int64 }

func (s laneState) lag() int64     { return max(0, s.end-s.next) }
func (s laneState) caughtUp() bool { return s.started && s.lag() == 0 }

func newRunner(r *Replicator, lane Lane) *runner { return &runner{Lane: lane, Replicator: r} }

func (l *runner) snapshot() laneState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *runner) change(f func(s *laneState)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.state)
}

// run copies until the context ends or the lane has a fault, and leaves positions and locks in order.
func (l *runner) run(ctx context.Context) {
	committing, stop := context.WithCancel(ctx)
	var committer sync.WaitGroup
	committer.Go(func() { l.commitRegularly(committing) })
	l.repeat(ctx)
	stop()
	committer.Wait()
	l.checkpoint(context.WithoutCancel(ctx))
}

// repeat works until the context ends or there is a fault. Everything else that goes wrong is waited for.
func (l *runner) repeat(ctx context.Context) {
	pause := backoff.NewExponentialBackOff(backoff.WithInitialInterval(l.timing.retryFirst),
		backoff.WithMaxInterval(l.timing.retryMax), backoff.WithMaxElapsedTime(0))
	suspect := 0
	var since time.Time
	for ctx.Err() == nil {
		before := l.snapshot().copied
		err := l.work(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.snapshot().copied > before {
			pause.Reset()
			suspect = 0
		}
		var maybe suspicion
		if errors.As(err, &maybe) {
			if suspect++; suspect == 1 {
				since = time.Now()
			}
			if suspect >= strikes && time.Since(since) >= l.timing.patience {
				err = maybe.LaneFault
			}
		}
		if fault, yes := isFault(err); yes {
			l.change(func(s *laneState) { s.fault, s.waiting = fault, "" })
			return
		}
		l.waitFor(err)
		_ = sleep(ctx, pause.NextBackOff())
	}
}

// waitFor says what the lane waits for, and forgets what it can't rely on any more: brokers that were killed have forgotten
// who held their locks, and the last commits.
func (l *runner) waitFor(err error) {
	var lost unsure
	if errors.As(err, &lost) {
		l.ready, l.unsure = false, true
	}
	l.sure = time.Time{}
	l.change(func(s *laneState) { s.waiting, s.committedBefore = err.Error(), false })
}

// work copies until something goes wrong.
func (l *runner) work(ctx context.Context) error {
	if err := l.ensureGroups(ctx); err != nil {
		return err
	}
	for {
		if err := l.hold(ctx); err != nil {
			return err
		}
		if !l.ready {
			if err := l.resume(ctx); err != nil {
				return err
			}
		}
		messages, err := l.pull(ctx)
		if err != nil {
			return err
		}
		if err := l.copy(ctx, messages); err != nil {
			return err
		}
		l.change(func(s *laneState) { s.waiting = "" })
	}
}

func (l *runner) ensureGroups(ctx context.Context) error {
	if err := l.source.ensureGroup(ctx, l.Source.Broker, l.options.Group); err != nil {
		return err
	}
	return l.target.ensureGroup(ctx, l.Target.Broker, l.options.Group)
}

// pull reads the next messages, or waits for one at the end of the queue.
func (l *runner) pull(ctx context.Context) ([]placed, error) {
	now := l.snapshot()
	next, wait := now.next, l.timing.pullWait
	if now.waiting != "" {
		wait = 0 // an answer at once shows that the trouble is over
	}
	result, err := l.source.pull(ctx, l.options.Group, l.Topic, l.Source, next, l.options.BatchMessages, wait)
	if err != nil {
		return nil, l.pullFault(err, next)
	}
	if result.Min > next {
		return nil, l.truncated(next, result.Min)
	}
	if result.Max < next {
		return nil, l.fell(next, result.Max)
	}
	l.change(func(s *laneState) { s.end = result.Max })
	messages := place(next, result)
	for i, m := range messages {
		switch missing := next + int64(i); {
		case m.position == missing:
		case i > 0:
			return messages[:i], nil // the next pull begins at what is missing
		default:
			return nil, l.unreadable(missing, m.position)
		}
	}
	if len(messages) == 0 && result.Max > next {
		return nil, l.unreadable(next, max(result.Next, next+1))
	}
	return messages, nil
}

// copy sends the messages in as few batches as exactness allows.
func (l *runner) copy(ctx context.Context, messages []placed) error {
	for len(messages) > 0 && ctx.Err() == nil {
		batch, err := l.cut(messages)
		if err != nil {
			return err
		}
		if err := l.holdToSend(ctx); err != nil {
			return err
		}
		if !l.ready { // the lock was away in between
			return nil
		}
		if err := l.send(ctx, batch, messages[0].position); err != nil {
			return err
		}
		messages = messages[len(batch.Messages):]
	}
	return nil
}

// cut takes the messages that may share a batch: what brokers store once per batch must be the same for all of them.
func (l *runner) cut(messages []placed) (rocketmq.BatchRequest, error) {
	first := messages[0].Message
	batch := rocketmq.BatchRequest{
		Group: l.options.Group, Topic: l.Topic, Queue: l.Target.ID,
		SysFlag: first.SysFlag & rocketmq.FlagsOfContent, BornTimestamp: first.BornTimestamp, ReconsumeTimes: first.ReconsumeTimes,
	}
	size := 0
	for _, m := range messages[:min(len(messages), l.options.BatchMessages)] {
		if m.SysFlag&rocketmq.FlagsOfContent != batch.SysFlag || m.BornTimestamp != batch.BornTimestamp || m.ReconsumeTimes != batch.ReconsumeTimes {
			break
		}
		copied := rocketmq.BatchMessage{Flag: m.Flag, Body: m.Body, Properties: l.properties(m.Properties, m.position)}
		if len(copied.Properties) > rocketmq.MaxProperties {
			if len(batch.Messages) > 0 {
				break // those before it are copied first
			}
			return batch, l.propertiesTooLong(m.position, len(copied.Properties))
		}
		size += copied.Size()
		if size > l.options.BatchBytes && len(batch.Messages) > 0 {
			break
		}
		batch.Messages = append(batch.Messages, copied)
	}
	return batch, nil
}

// send stores a batch whose first message is from that source offset. One that is in flight when the run ends may finish, so
// that the last commit is right.
func (l *runner) send(ctx context.Context, batch rocketmq.BatchRequest, from int64) error {
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timing.sendTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(l.timing.finish, cancel) })()
	n, begin := int64(len(batch.Messages)), time.Now()
	stored, err := l.target.send(sending, l.Target.Broker, batch)
	if err != nil {
		return l.sendFault(err, from, from+n)
	}
	if tail := l.snapshot().tail; stored.Offset < tail {
		return l.targetFell(from, stored.Offset, tail)
	}
	l.sure = begin
	l.change(func(s *laneState) {
		s.next, s.tail, s.copied = from+n, stored.Offset+n, s.copied+n
		s.end = max(s.end, s.next)
	})
	return nil
}

// sleep pauses, and ends early when the context does.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
