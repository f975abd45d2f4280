package replicator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// tail is the end of the copies on a target queue.
type tail struct {
	newest int64 // stamped offset of the newest copy, -1 without any
	after  int64 // position behind it; without any, the end of the queue
	copy   remoting.Message
	first  int64 // first position that the queue still holds
	hinted bool  // there is a hint, so that a lane has run before
	lost   bool  // the queue ends before the hint: copies were lost
	unsure int64 // stamped offset from which copies are of a batch without an answer, if there is one
	stored batch // what is there of that batch
}

// batch is how much copies are.
type batch struct{ copies, bytes int64 }

// resume finds where the lane goes on: behind the newest copy that the target holds.
func (l *laneWorker) resume(ctx context.Context) error {
	turn := l.shared.turn(l)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	lapses := l.lapses
	takes, err := l.shared.batches(ctx, l.Target.Broker)
	if err != nil {
		return fmt.Errorf("the largest batch that the target takes: %w", err)
	}
	l.batchBytes, l.single, l.untold = takes.Bytes, takes.None || replica.Alone(l.Topic) || l.trial, takes.Untold
	from := replica.Reader{Side: l.source, Group: l.options.Group, Topic: l.Topic, Queue: l.Source}
	progress, known, err := from.Position(ctx)
	if err != nil {
		return err
	}
	end, err := l.settledTail(ctx, progress)
	if err != nil {
		return err
	}
	first, last, err := from.Bounds(ctx)
	if err != nil {
		return err
	}
	start := first
	if !known {
		if start, err = l.begin(ctx, first, last); err != nil {
			return err
		}
	}
	next, err := l.choose(end, progress, known, first, start, last)
	if err != nil {
		return l.orSlaveBehind(ctx, last, err)
	}
	if err := l.checkOriginal(ctx, from, end, first, last); err != nil {
		return err
	}
	l.standAt(next, last, end)
	if !end.hinted || l.Epoch > 0 { // so that the next start knows that this one was
		if err := l.commit(ctx); err != nil {
			return err
		}
	}
	l.change(func(s *laneState) { s.waiting = "" })
	if l.lapses != lapses {
		return fmt.Errorf(
			"topic %s: the lock of target queue %s lapsed while the queue's end was read: it is read again",
			l.Topic, l.Target,
		)
	}
	l.ready, l.unsure, l.sure = true, false, time.Now()
	l.begun()
	return nil
}

// standAt is where the lane goes on, by what was found at the end of its target queue.
func (l *laneWorker) standAt(next, last int64, end tail) {
	l.change(func(s *laneState) {
		s.next, s.tail, s.end, s.started, s.written = next, end.after, last, true, nil
		if end.stored.copies > 0 {
			s.copied, s.bytes, s.batches = s.copied+end.stored.copies, s.bytes+end.stored.bytes, s.batches+1
		}
	})
	clear(l.seen)
}

// orSlaveBehind is why no offset could be chosen: where a slave is read that has less than its
// master had, the queue wasn't made anew.
func (l *laneWorker) orSlaveBehind(ctx context.Context, last int64, err error) error {
	var maybe suspicion
	if errors.As(err, &maybe) && maybe.Type == lane.SourceReset && l.source.FromSlave(ctx, l.Source.Broker) {
		return replica.SlaveBehind(lane.SideSource, l.Source.Broker, last, maybe.From)
	}
	return err
}

// choose picks the next offset to copy.
func (l *laneWorker) choose(end tail, progress int64, known bool, first, start, last int64) (int64, error) {
	next := start // what expired before the first start is history
	if l.Epoch > 0 && (end.newest < 0 || progress > end.newest+1 && progress > last) {
		known, progress = false, 0 // what was committed is of the epoch before
	}
	switch {
	case end.newest >= 0:
		next = end.newest + 1
		if next < first && progress >= first && !end.lost {
			next = progress // somebody accepted the gap, by setting the lanes' group behind it
		}
	// retries begin further on
	case known && progress > first && end.first == 0 && (l.reverse == nil && !replica.Alone(l.Topic) || end.lost):
		return 0, l.Fault(
			lane.TargetTruncated,
			first,
			progress,
			fmt.Sprintf(
				"Find out what happened to the target's topic. To copy again what the source still holds, "+
					"answer restart, or set the offset of group %s on this queue to %d, %s",
				l.options.Group,
				first,
				startAgain,
			),
			"the target holds none of the copies that were made",
		)
	case known && progress > 0:
		next = progress
	}
	if to, skip := l.skipTo(next); skip {
		to = max(next, min(to, last))
		l.change(func(s *laneState) { s.giveUp(next, to) })
		next = to
	}
	switch {
	case next < first && end.lost:
		return 0, l.Fault(lane.TargetTruncated, next, first,
			"These copies were lost on the target and can't be made again",
			"their originals expired on the source")
	case next < first:
		return 0, l.truncated(next, first)
	case next > last:
		return 0, l.fell(next, last)
	}
	return next, nil
}

// checkOriginal compares the newest copy with its original: a topic that was made anew has other
// messages at the same offsets.
func (l *laneWorker) checkOriginal(ctx context.Context, from replica.Reader, end tail, first, last int64) error {
	if end.newest < first || end.newest >= last {
		return nil
	}
	original, there, err := from.One(ctx, end.newest)
	if err != nil || !there {
		return err
	}
	if difference, same := replica.SameMessage(&original, &end.copy); !same {
		return l.Fault(lane.SourceReset, end.newest, end.newest+1, madeAnew,
			"the source's message isn't the one whose copy is on the target: %s", difference)
	}
	return nil
}

// settledTail reads the tail. Where a batch may still be on its way, sent by this lane or by one
// before it, the tail counts when it stood still after the broker had taken up every send that it
// received before.
func (l *laneWorker) settledTail(ctx context.Context, progress int64) (tail, error) {
	to := replica.Reader{Side: l.target, Group: l.options.Group, Topic: l.Topic, Queue: l.Target, Between: l.hold}
	now, err := l.newestCopy(ctx, to, progress)
	for settle := l.unsure || progress > 0 || now.hinted; settle && err == nil; {
		if err = l.target.PassSends(ctx, l.Target.Broker, l.options.Group); err != nil {
			return now, fmt.Errorf("sends on their way to the target queue: %w", err)
		}
		if err = sleep.For(ctx, l.timing.settle); err != nil {
			return now, err
		}
		before := now
		now, err = l.newestCopy(ctx, to, progress)
		settle = now.newest != before.newest
	}
	return now, err
}

// newestCopy starts at the hint, the committed position behind the newest copy that was known then,
// and looks for newer ones up to the end of the queue. Without a hint it looks back from the end;
// should that miss copies that were made, it looks everywhere.
func (l *laneWorker) newestCopy(ctx context.Context, q replica.Reader, progress int64) (tail, error) {
	if err := l.findEpoch(ctx, q); err != nil {
		return tail{}, err
	}
	stamps := l.Stamper
	hint, hinted, err := q.Position(ctx)
	if err != nil {
		return tail{}, err
	}
	first, last, err := q.Bounds(ctx)
	if err != nil {
		return tail{}, err
	}
	none := tail{newest: -1, after: last, first: first, hinted: hinted, lost: hinted && hint > last, unsure: math.MaxInt64}
	if now := l.snapshot(); l.unsure && now.started {
		none.unsure = now.next
	}
	hinted = hinted && hint > 0 // 4.x says 0 where nothing was committed
	if l.reverse != nil && hinted && !none.lost {
		end, err := none.read(ctx, q, max(first, hint-replica.Window), last, stamps)
		// its copies may lie further back: what was committed may be of before
		if err == nil && end.newest < 0 && l.Epoch > 0 {
			return none.read(ctx, q, first, last, stamps)
		}
		if gap, errGap := l.uncopied(ctx, end.newest+1, progress); err != nil || errGap != nil || !gap {
			return end, cmp.Or(err, errGap)
		}
		return none.read(ctx, q, first, last, stamps)
	}
	start := last
	if hinted && hint <= last {
		start = max(hint, first)
	}
	ours := func(m replica.Message) bool { _, yes := stamps.Offset(m.Message); return yes }
	if first, err = l.lookFrom(ctx, first, last, hinted, progress); err != nil {
		return none, err
	}
	found, ok, err := q.LastBefore(ctx, first, start, ours)
	if err != nil {
		return none, err
	}
	guessed := !hinted || none.lost
	if ok {
		start = found.Position
		if guessed {
			start = max(first, start-replica.Window)
		}
	}
	end, err := none.read(ctx, q, start, last, stamps)
	if err == nil && guessed && end.newest+1 < progress && start > first {
		return none.read(ctx, q, first, last, stamps)
	}
	return end, err
}

// lookFrom is how far back copies of the lane may lie. A reverse lane that seems to run for the
// first time need not read all of the source's history for them: if the forward lane has copied
// nothing either, a window is enough for what a kill made brokers forget.
func (l *laneWorker) lookFrom(ctx context.Context, first, last int64, hinted bool, progress int64) (int64, error) {
	if !l.back || hinted || progress > 0 {
		return first, nil
	}
	_, ran, err := l.firstCopy(ctx)
	if err != nil || ran {
		return first, err
	}
	return max(first, last-replica.Window), nil
}

// uncopied reports whether the source holds anything in [from, to) that isn't a copy of the reverse
// lane. Where natives are many on the target, the newest copy may be too far back to be found soon;
// then the progress counts.
func (l *laneWorker) uncopied(ctx context.Context, from, to int64) (bool, error) {
	q := replica.Reader{Side: l.source, Group: l.options.Group, Topic: l.Topic, Queue: l.Source}
	first, last, err := q.Bounds(ctx)
	if err != nil || from == 0 {
		return false, err
	}
	found := false
	err = q.Each(ctx, max(from, first), min(to, last), func(m replica.Message) bool {
		stamp, copied := replica.ParseStamp(m.Properties)
		found = !copied || !l.reverse.Made(stamp)
		return !found
	})
	return found, err
}

// read looks for newer copies in [from, to).
func (t tail) read(ctx context.Context, q replica.Reader, from, to int64, stamps replica.Stamper) (tail, error) {
	err := q.Each(ctx, from, to, func(m replica.Message) bool {
		if offset, yes := stamps.Offset(m.Message); yes && offset > t.newest {
			t.newest, t.after, t.copy = offset, m.Position+1, *m.Message
			if offset >= t.unsure {
				t.stored.copies, t.stored.bytes = t.stored.copies+1, t.stored.bytes+int64(len(m.Body)+len(m.Properties))
			}
		}
		return true
	})
	return t, err
}
