package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
)

// hold makes sure that the lane may send: its lock on the target queue is held, and was renewed
// lately enough that it can't have lapsed, nor lapse before a send is given up. Brokers forget a
// lock 60 s after its last renewal; the age is taken by the monotonic clock, from when the renewal
// began.
func (l *laneWorker) hold(ctx context.Context) error {
	if l.snapshot().doubted {
		l.ready = false
		if err := l.renew(ctx); err != nil {
			return err
		}
		l.change(func(s *laneState) { s.doubted = false })
		return nil
	}
	if l.held() && time.Since(l.snapshot().renewed) < l.timing.renew {
		return nil
	}
	if err := l.renew(ctx); err != nil && !l.held() {
		return err
	}
	return nil // without an answer there is time left for the next try
}

// holdToSend is hold for a send. A lane that has rested, or had trouble, renews the lock whatever
// its age: a target that was restarted in the meantime has forgotten it, and may have given it to
// another copier. One that has ended already left its hint.
func (l *laneWorker) holdToSend(ctx context.Context) error {
	if !l.held() || time.Since(l.sure) < l.timing.rest {
		return l.hold(ctx)
	}
	begin := time.Now()
	if err := l.renew(ctx); err != nil {
		return err
	}
	hint, _, err := l.target.Position(ctx, l.options.Group, l.Topic, l.Target)
	if err != nil {
		return fmt.Errorf("the lane's hint: %w", err)
	}
	if now := l.snapshot(); hint > max(now.tail, now.saved.tail) {
		l.ready = false
	}
	l.sure = begin
	return nil
}

func (l *laneWorker) held() bool {
	renewed := l.snapshot().renewed
	return !renewed.IsZero() && time.Since(renewed) < l.timing.lockValid
}

func (l *laneWorker) renew(ctx context.Context) error {
	if !l.held() {
		l.ready = false // another copier may have had the queue: the tail must be read again
		l.lapses++
	}
	begin := time.Now()
	asking, cancel := context.WithTimeout(ctx, l.timing.finish)
	defer cancel()
	locked, err := l.target.Lock(asking, l.Target.Broker, l.options.Group, l.options.Holder,
		[]rocketmq.MessageQueue{l.lockName()})
	switch {
	case err != nil:
		return fmt.Errorf("lock of the target queue: %w", err)
	case len(locked) == 0:
		l.ready = false
		l.change(func(s *laneState) { s.renewed = time.Time{} })
		return fmt.Errorf(
			"topic %s: target queue %s is locked by another copier of group %s: the lane goes on when that "+
				"one ends, at the latest a minute after it died",
			l.Topic,
			l.Target,
			l.options.Group,
		)
	}
	l.change(func(s *laneState) { s.renewed = begin })
	return nil
}

// lockName is the target queue in lock requests.
func (l *laneWorker) lockName() rocketmq.MessageQueue {
	return rocketmq.MessageQueue{Topic: l.Topic, Broker: l.Target.Broker, Queue: l.Target.ID}
}

// commitDue reports whether the lane has something to commit now.
func (l *laneWorker) commitDue() bool {
	if !l.changed.Load() {
		return false
	}
	s := l.snapshot()
	soon := s.caughtUp() && s.uncommitted == ""
	return s.started && (soon || time.Since(s.savedAt) >= l.timing.commit)
}

// commitsToStay is how often the first positions are committed: a broker loses one of two first
// commits to a topic that come at the same moment, here from two workers' lanes.
const commitsToStay = 2

// commit writes the lane's positions, if they changed. First the target's, then the source's: who
// reads them the other way round knows that the copies of everything before the source's position
// lie before the target's.
func (l *laneWorker) commit(ctx context.Context) error {
	l.changed.Store(false)
	s := l.snapshot()
	now := saved{s.next, s.tail}
	if l.reverse != nil { // what it has read there and isn't behind the tail is no copy of this lane
		now.tail = max(now.tail, l.reverse.snapshot().next)
	}
	if s.commits >= commitsToStay && s.saved == now {
		return nil
	}
	l.changed.Store(true)                       // until it is done
	if err := l.ensureGroups(ctx); err != nil { // somebody may have deleted them
		return err
	}
	if err := l.target.Commit(ctx, l.options.Group, l.Topic, l.Target, now.tail); err != nil {
		return fmt.Errorf("commit of the lane's hint: %w", err)
	}
	if err := l.source.Commit(ctx, l.options.Group, l.Topic, l.Source, now.next); err != nil {
		return fmt.Errorf("commit of the lane's progress: %w", err)
	}
	l.change(func(s *laneState) {
		s.saved, s.savedAt, s.uncommitted = now, time.Now(), ""
		s.commits++
	})
	return nil
}

// checkpoint commits for the last time and gives the lock back. What fails here is made good by the
// next start: it reads the tail, and waits until the lock lapses.
func (l *laneWorker) checkpoint(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.timing.checkpoint)
	defer cancel()
	if l.snapshot().started {
		_ = l.commit(ctx)
	}
	l.shared.renewing.Wait() // or the lock would be renewed once more
	if !l.snapshot().renewed.IsZero() {
		_ = l.target.Unlock(ctx, l.options.Group, l.options.Holder, l.Topic, l.Target)
	}
}
