package replicator

import (
	"context"
	"fmt"

	"rocketshift/internal/rocketmq"
)

// window is how far a search for the newest copy looks further back where no hint tells where it is: a message that an
// application sent again carries an older stamp, and real copies lie close before it.
const window = 1024

// tail is the end of the copies on a target queue.
type tail struct {
	newest int64 // stamped offset of the newest copy, -1 without any
	after  int64 // position behind it; without any, the end of the queue
	copy   rocketmq.Message
	first  int64 // first position that the queue still holds
	lost   bool  // the queue ends before the hint: copies were lost
}

// resume finds where the lane goes on: behind the newest copy that the target holds.
func (l *runner) resume(ctx context.Context) error {
	cluster, err := l.source.clusterOf(ctx, l.Source.Broker)
	if err != nil {
		return err
	}
	l.stamper = stamper{cluster, l.Lane}
	from := queue{l.source, l.options.Group, l.Topic, l.Source}
	progress, known, err := from.position(ctx)
	if err != nil {
		return err
	}
	end, err := l.settledTail(ctx, l.unsure || known && progress > 0)
	if err != nil {
		return err
	}
	first, last, err := from.bounds(ctx)
	if err != nil {
		return err
	}
	next, err := l.choose(end, progress, known, first, last)
	if err != nil {
		return err
	}
	if err := l.checkOriginal(ctx, from, end, first, last); err != nil {
		return err
	}
	l.change(func(s *laneState) { s.next, s.tail, s.end, s.started = next, end.after, last, true })
	if !known { // so that the next start knows that this one was
		if err := l.commit(ctx); err != nil {
			return err
		}
	}
	l.change(func(s *laneState) { s.waiting = "" })
	l.ready, l.unsure = true, false
	return nil
}

// choose picks the next offset to copy.
func (l *runner) choose(end tail, progress int64, known bool, first, last int64) (int64, error) {
	next := first // what expired before the first start is history
	switch {
	case end.newest >= 0:
		next = end.newest + 1
		if next < first && progress >= first && !end.lost {
			next = progress // somebody accepted the gap, by setting the lanes' group behind it
		}
	case known && progress > first && end.first == 0:
		return 0, l.fault(TargetTruncated, first, progress,
			fmt.Sprintf("Find out what happened to the target's topic. To copy again what the source still holds, set the offset of group %s on this queue to %d, %s",
				l.options.Group, first, startAgain), "the target holds none of the copies that were made")
	case known && progress > 0:
		next = progress
	}
	switch {
	case next < first && end.lost:
		return 0, l.fault(TargetTruncated, next, first, "These copies were lost on the target and can't be made again", "their originals expired on the source")
	case next < first:
		return 0, l.truncated(next, first)
	case next > last:
		return 0, l.fell(next, last)
	}
	return next, nil
}

// checkOriginal compares the newest copy with its original: a topic that was made anew has other messages at the same offsets.
func (l *runner) checkOriginal(ctx context.Context, from queue, end tail, first, last int64) error {
	if end.newest < first || end.newest >= last {
		return nil
	}
	original, there, err := from.one(ctx, end.newest)
	if err != nil || !there {
		return err
	}
	if difference, same := SameMessage(original, end.copy); !same {
		return l.fault(SourceReset, end.newest, end.newest+1, "Find out whether the source's topic was deleted and made anew; what the target holds is of the old one",
			"the source's message isn't the one whose copy is on the target: %s", difference)
	}
	return nil
}

// settledTail reads the tail. Where a batch may still be on its way, sent by this lane or by one before it, the tail counts when
// it stood still: the broker answered in the meantime, and drops sends that waited for longer than a fraction of that.
func (l *runner) settledTail(ctx context.Context, settle bool) (tail, error) {
	now, err := l.readTail(ctx)
	for settle && err == nil {
		if err = sleep(ctx, l.timing.settle); err != nil {
			break
		}
		before := now
		if now, err = l.readTail(ctx); now.newest == before.newest {
			break
		}
	}
	return now, err
}

// readTail finds the newest copy on the target queue.
func (l *runner) readTail(ctx context.Context) (tail, error) {
	return newestCopy(ctx, queue{l.target, l.options.Group, l.Topic, l.Target}, l.stamper)
}

// newestCopy starts at the hint, the committed position behind the newest copy that was known then, and looks for newer ones
// up to the end of the queue. Without a hint it looks back from the end.
func newestCopy(ctx context.Context, q queue, stamps stamper) (tail, error) {
	hint, hinted, err := q.position(ctx)
	if err != nil {
		return tail{}, err
	}
	first, last, err := q.bounds(ctx)
	if err != nil {
		return tail{}, err
	}
	end := tail{newest: -1, after: last, first: first, lost: hinted && hint > last}
	start := last
	if hinted && hint <= last {
		start = max(hint, first)
	}
	ours := func(m placed) bool { _, yes := stamps.offset(m.Message); return yes }
	found, ok, err := q.lastBefore(ctx, first, start, ours)
	if err != nil {
		return end, err
	}
	if ok {
		start = found.position
		if !hinted || end.lost {
			start = max(first, start-window)
		}
	}
	err = q.each(ctx, start, last, func(m placed) bool {
		if offset, yes := stamps.offset(m.Message); yes && offset > end.newest {
			end.newest, end.after, end.copy = offset, m.position+1, m.Message
		}
		return true
	})
	return end, err
}
