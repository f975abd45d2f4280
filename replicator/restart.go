package replicator

import (
	"context"
	"fmt"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// restart begins the lane anew, if a person said so: stamps carry the number of the new epoch from
// then on, and copies of epochs before don't count. The answer alone does nothing. It takes a fault
// that it fits, so that one which is read again after a kill restarts no lane that is in order: the
// epoch that a lane is in can be read off its last copy.
func (l *laneWorker) restart(fault *lane.Fault) bool {
	if l.restarts <= l.Epoch || !fault.OfNewTopic(l.reverse != nil) {
		return false
	}
	l.Restarted(l.Epoch + 1)
	l.ready, l.narrow = false, 0
	clear(l.seen)
	l.change(func(s *laneState) {
		s.next, s.tail, s.end, s.started, s.skippedTo = 0, 0, 0, false, 0
		s.fault, s.waiting = nil, "it begins anew, after: "+fault.Cause
		s.saved, s.commits = saved{}, 0
	})
	return true
}

// findEpoch reads off the target queue how often the lane was restarted before: its last copy says
// so.
func (l *laneWorker) findEpoch(ctx context.Context, q replica.Reader) error {
	if l.restarts <= l.Epoch {
		return nil
	}
	epoch, err := replica.EpochOf(ctx, q, &l.Stamper)
	if err != nil {
		return fmt.Errorf("the lane's last copy: %w", err)
	}
	if epoch > l.Epoch {
		l.Restarted(epoch)
	}
	return nil
}
