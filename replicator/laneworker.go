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

// laneWorker is one lane at work. Its goroutine is the copying loop (copyLoop), which alone holds
// what it needs for copying. What stands here may be used by any goroutine: it never changes after
// the lane has started, or has a lock of its own.
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

// commitsToStay is how often the first positions are committed: a broker loses one of two first
// commits to a topic that come at the same moment, here from two workers' lanes.
const commitsToStay = 2

// commit writes the lane's positions, if they changed. First the target's, then the source's: who
// reads them the other way round knows that the copies of everything before the source's position
// lie before the target's.
func (l *laneWorker) commit(ctx context.Context) error {
	l.state.changed.Store(false)
	s := l.state.snapshot()
	now := saved{s.next, s.tail}
	if l.reverse != nil { // what it has read there and isn't before the tail is no copy of this lane
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

// checkpoint commits for the last time and gives the lock back. What fails here is made good by the
// next start: it reads the tail, and waits until the lock lapses.
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
