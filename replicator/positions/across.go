package positions

import (
	"context"
	"fmt"
	"math"
	"time"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// Across translates a position for a reader that moves to the other replica of a lane that copies
// both ways. The result is the place there of the first message that the reader hasn't read. Where
// both sides were written to at the same time, their replicas differ in order for a stretch, and
// the reader sees Repeats messages again; everywhere else the translation is exact. The position is
// on the lane's source, the result on its target. For the way back, ask Reversed for lane.Back().
//
// It needs only the two queues: it finds runs of copies by a few reads each, and remembers them. It
// can't see what expired: a position before the first message counts as that one. ErrNotCopiedYet
// says that the forward lane must copy more first.
func (p *Positions) Across(ctx context.Context, lane lane.Lane, position int64) (Translation, error) {
	if at, found, err := p.alignedFromStart(ctx, lane, position); err != nil || found {
		return Translation{Target: at, Exact: true}, err
	}
	c, err := p.crossing(ctx, lane, false, math.MaxInt64)
	if err != nil {
		return Translation{}, err
	}
	return c.Across(position)
}

// Crossing is what both replicas of a lane that copies both ways held at one moment.
type Crossing struct {
	lane        lane.Lane
	here, there replicaCuts
}

// Crossing looks at both replicas of a lane. The result translates positions as Across does, and
// More waits for more copies. A look reads what is new since the last one, mostly in few calls. If
// the lane has much to copy, it doesn't read that. A glance, soon after another look, saves a round
// trip; it may take a message that needs no copy for one that isn't copied yet.
func (p *Positions) Crossing(ctx context.Context, lane lane.Lane, glance bool) (Crossing, error) {
	return p.crossing(ctx, lane, glance, mostUnread)
}

func (p *Positions) crossing(ctx context.Context, lane lane.Lane, glance bool, most int64) (Crossing, error) {
	two, err := p.pair(ctx, lane, glance)
	if err != nil {
		return Crossing{}, err
	}
	defer two.unlock()
	if lag := two.lag(); lag > most {
		return Crossing{}, fmt.Errorf("topic %s, queue %s: %w: the lane is %d messages behind", lane.Topic,
			lane.Source, ErrNotCopiedYet, lag)
	}
	err = two.extend(ctx, false)
	return Crossing{lane, two.here.replica(), two.there.replica()}, err
}

// More waits until the lane has copied something since the look, but no longer than wait, and looks
// at its copies again. Without anything new it returns the crossing unchanged, and false.
func (p *Positions) More(ctx context.Context, c Crossing, wait time.Duration) (Crossing, bool, error) {
	there := p.half(c.lane)
	there.mu.Lock()
	defer there.mu.Unlock()
	there.read, there.began = c.there.read, c.there.began
	before := there.progress
	// A broker may look only every 5 s which pulls have waited long enough.
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err := both(func() error { return there.ask(ctx) }, func() error { return there.look(waiting, wait) })
	if waiting.Err() != nil && ctx.Err() == nil {
		return c, false, nil
	}
	if err == nil {
		there.goBy(before)
		err = there.cuts.extend(ctx, there.Reader, there.stamps, there.to, nil, func() bool { return false })
	}
	if err != nil {
		return c, false, err
	}
	more := there.to > c.there.to || there.read > c.there.read
	c.there = there.replica()
	return c, more, nil
}

// End is where the lane's source queue ended.
func (c Crossing) End() int64 { return c.here.to }

// Across translates a position as of that moment.
func (c Crossing) Across(position int64) (Translation, error) {
	here, there := c.here, c.there
	at := min(max(position, here.from), here.to)
	if missing := here.native(there.newest + 1); missing < at && there.read < at {
		return Translation{}, fmt.Errorf("topic %s, queue %s: position %d: %w: the lane is at %d", c.lane.Topic,
			c.lane.Source, at, ErrNotCopiedYet, missing)
	}
	target := there.to
	// The copy of the first native that is unread. The ends of both queues were read at the same
	// time, so that natives may follow after the end of here.
	if copied, found := there.copyAtOrAfter(here.native(at)); found {
		target = min(target, copied)
	}
	if original, found := here.firstStampFrom(at); found { // the original of the first copy that is unread
		target = min(target, original)
	}
	if here.began || here.newest >= 0 { // a broker that was killed may have forgotten that the lane has run
		target = min(target, there.native(max(here.newest+1, here.read))) // the first native that isn't copied here
	}
	// The messages of the other side that the reader has read lie before that position: their
	// copies were here before everything unread.
	repeats := there.copiesBelow(at, target)
	return Translation{Target: target, Exact: repeats == 0, Repeats: repeats}, nil
}

// replicaCuts is one replica of a lane, with the copies that the other side's lane has made there.
type replicaCuts struct {
	cuts
	from, to int64 // the queue holds [from, to)
	read     int64 // offset on the other side up to which its lane has copied or skipped
	began    bool  // that lane has run
}

// alignedFromStart translates a position if only copies lie before its copy: then the other lane
// has no copies before the position. It doesn't look if anything else is known to lie on the
// target.
func (p *Positions) alignedFromStart(
	ctx context.Context,
	lane lane.Lane,
	position int64,
) (at int64, found bool, err error) {
	if p.cutsOf(lane).mixed() {
		return 0, false, nil
	}
	source, target := p.queues(lane)
	var first, end, from, to int64
	err = both(func() (err error) { first, end, err = source.Bounds(ctx); return err },
		func() (err error) { from, to, err = target.Bounds(ctx); return err })
	if err != nil {
		return 0, false, err
	}
	return aligned(ctx, target, replica.NewStamper(p.names, lane), from, to, min(max(position, first), end))
}

// native is the first position from at on that holds no copy; the end of the queue if there is
// none.
func (r replicaCuts) native(at int64) int64 {
	at = max(at, r.from)
	for _, c := range r.runs {
		if c.position <= at && at < c.end() {
			at = c.end()
		}
	}
	return min(at, r.to)
}

// copyAtOrAfter is where the first copy of that offset or a later one is.
func (r replicaCuts) copyAtOrAfter(offset int64) (position int64, found bool) {
	for _, c := range r.runs {
		if offset < c.offset+c.length {
			return c.position + max(0, offset-c.offset), true
		}
	}
	return 0, false
}

// firstStampFrom is the offset of the first copy from a position on.
func (r replicaCuts) firstStampFrom(position int64) (offset int64, found bool) {
	for _, c := range r.runs {
		if position < c.end() {
			return c.offset + max(0, position-c.position), true
		}
	}
	return 0, false
}

// copiesBelow counts the copies of offsets below one, from a position on.
func (r replicaCuts) copiesBelow(offset, position int64) (count int64) {
	for _, c := range r.runs {
		first := max(c.position, position)
		count += max(0, min(c.end(), c.position+offset-c.offset)-first)
	}
	return count
}
