package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/throttle"
)

// laneWorker is one lane at work. Its goroutine runs the copying loop (copyLoop), which alone holds
// what it needs for copying. Any goroutine may use the fields here: they don't change after the
// lane has started, or have a lock of their own.
type laneWorker struct {
	lane.Lane
	*direction
	back        bool             // a reverse lane: it reads on the target
	maintenance *maintenance     // what is done for all lanes of the direction
	answered    chan lane.Answer // to the lane's fault
	writers     writers          // who wrote what the lane has read
	state       sharedState      // how far the lane is
	shown       partner          // what the reverse lane may use of this one
	reverse     *partner         // what this lane may use of the reverse one; nil if there is none
}

func newLaneWorker(of *direction, one lane.Lane, back bool) *laneWorker {
	l := &laneWorker{Lane: one, direction: of, back: back, answered: make(chan lane.Answer, 1)}
	l.state.wake = make(chan struct{}, 1)
	l.shown = newPartner(replica.NewStamper(of.options.Names, one), &l.state)
	return l
}

func (l *laneWorker) ensureGroups(ctx context.Context) error {
	if err := l.source.EnsureGroup(ctx, l.Source.Broker, l.options.Group); err != nil {
		return err
	}
	return l.target.EnsureGroup(ctx, l.Target.Broker, l.options.Group)
}

// from reads the queue that the lane copies.
func (l *laneWorker) from() replica.Reader {
	return replica.Reader{Side: l.source, Group: l.options.Group, Topic: l.Topic, Queue: l.Source}
}

// to reads the queue that the lane writes to.
func (l *laneWorker) to() replica.Reader {
	return replica.Reader{Side: l.target, Group: l.options.Group, Topic: l.Topic, Queue: l.Target}
}

func (l *laneWorker) ends() (source, target throttle.Broker) {
	return throttle.Broker{
		Side: l.source,
		Name: l.Source.Broker,
	}, throttle.Broker{
		Side: l.target,
		Name: l.Target.Broker,
	}
}

// refusedAsBusy takes note of a broker's answer that it has too much to do.
func (l *laneWorker) refusedAsBusy(of throttle.Broker, err error) {
	if code := remoting.CodeOf(err); code == remoting.SystemBusy || code == remoting.FlowControl {
		l.health.Trouble(of, fmt.Sprintf("broker %s answers that it is busy", of.Name), time.Now())
	}
}

// lockName is the target queue in lock requests.
func (l *laneWorker) lockName() rocketmq.MessageQueue {
	return rocketmq.MessageQueue{Topic: l.Topic, Broker: l.Target.Broker, Queue: l.Target.ID}
}

// commitDue reports whether the lane has something to commit now.
func (l *laneWorker) commitDue() bool {
	if !l.state.changed.Load() {
		return false
	}
	s := l.state.snapshot()
	soon := s.caughtUp() && s.committed.failed == ""
	return s.started && (soon || time.Since(s.committed.at) >= l.timing.commit)
}

// commitsToStay is how often a lane commits its first positions. Of two first commits to a topic at
// the same moment, here by lanes of two workers, a broker loses one.
const commitsToStay = 2

// commit writes the lane's positions if they have changed: first the target's, then the source's. A
// reader reads them the other way round, so that the copies of everything before the source's
// position lie before the target's.
func (l *laneWorker) commit(ctx context.Context) error {
	l.state.changed.Store(false)
	s := l.state.snapshot()
	now := saved{s.next, s.tail}
	if l.reverse != nil { // what the reverse lane has read after the tail is no copy of this lane
		now.tail = max(now.tail, l.reverse.state.snapshot().next)
	}
	if s.committed.times >= commitsToStay && s.committed.saved == now {
		return nil
	}
	l.state.changed.Store(true)                 // until it is done
	if err := l.ensureGroups(ctx); err != nil { // somebody may have deleted them
		return err
	}
	if err := l.target.Commit(ctx, l.options.Group, l.Topic, l.Target, now.tail); err != nil {
		return fmt.Errorf("commit of the lane's hint: %w", err)
	}
	if err := l.source.Commit(ctx, l.options.Group, l.Topic, l.Source, now.next); err != nil {
		return fmt.Errorf("commit of the lane's progress: %w", err)
	}
	l.state.change(func(s *laneState) {
		s.committed = committed{saved: now, at: time.Now(), times: s.committed.times + 1}
	})
	return nil
}

// checkpoint commits for the last time and gives the lock back. If that fails, the next start makes
// up for it: it reads the tail, and waits until the lock lapses.
func (l *laneWorker) checkpoint(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.timing.checkpoint)
	defer cancel()
	if l.state.snapshot().started {
		_ = l.commit(ctx)
	}
	l.maintenance.renewing.Wait() // or the lock would be renewed once more
	if !l.state.snapshot().lock.renewed.IsZero() {
		_ = l.target.Unlock(ctx, l.options.Group, l.options.Holder, l.Topic, l.Target)
	}
}
