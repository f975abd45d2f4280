package replicator

import (
	"context"
	"sync"
	"time"

	"rocketshift/replicator/replica"
)

// partner is all that the lane of the other direction may use of a lane. The stamps don't change.
// The lane's copying loop writes began and sends, and the copying loop and maintenance of the
// reverse lane read them. The state has its own lock; the reverse lane adds what it has written
// there.
type partner struct {
	stamps replica.Stamper // of the lane's first epoch; Made is the same in each
	state  *sharedState
	began  chan struct{} // closed when the lane has found its place, or gives up
	begun  func()        // closes it
	sends  sendCounter   // the batches that the lane has sent
}

func newPartner(stamps replica.Stamper, state *sharedState) partner {
	began := make(chan struct{})
	return partner{stamps: stamps, state: state, began: began, begun: sync.OnceFunc(func() { close(began) })}
}

// sends counts the batches that a lane has sent, and the answers. If both were equal before a look
// and nothing was added after it, no batch was on its way during the look.
type sends struct{ begun, ended int64 }

func (s sends) all() bool { return s.begun == s.ended }

// sendCounter counts sends for the reverse lane.
type sendCounter struct {
	mu  sync.Mutex
	now sends
}

func (c *sendCounter) Load() sends {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *sendCounter) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.begun++
}

func (c *sendCounter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.ended++
}

// lookBack is how many messages are searched for the newest copy of an origin other than the
// reverse lane. Such copies are frequent where they occur at all: rings of clusters pass messages
// on all the time, and so do applications that send messages again.
const lookBack = 1024

// origins tells copies from messages that applications wrote, on the queue that the lane reads. It
// belongs to the copying loop.
type origins struct {
	lane   *laneWorker
	newest map[replica.Origin]int64 // newest stamped offsets on the queue
}

// judge decides how a message on the queue that the lane reads is copied. It sets Skip on a copy of
// what the other side has, and Via, the path that its copy goes on with, on a copy from elsewhere.
// All others are an application's own.
func (c *copyLoop) judge(ctx context.Context, m *replica.Message, now time.Time) error {
	if _, skip := c.decisions.skipTo(m.Position); skip {
		m.Skip = true
		c.lane.state.change(func(s *laneState) { s.giveUp(m.Position, m.Position+1) })
		return nil
	}
	own, err := c.origins.classify(ctx, m)
	if own {
		c.lastOwn = now
		c.lane.writers.note(m)
	}
	return err
}

// classify reports whether a message is an application's own; if not, it sets Skip or Via.
//
// A stamp counts only on the queue that it was made for, and only if its offset is greater than all
// of the same origin before it. Otherwise an application has sent the message again with all its
// properties.
func (o *origins) classify(ctx context.Context, m *replica.Message) (own bool, err error) {
	stamps := &o.lane.shown.stamps
	stamp, stamped := replica.ParseStamp(m.Properties)
	if !stamped || stamp.Place != stamps.From {
		return true, nil
	}
	origin := stamp.Origin()
	newest, known := o.newest[origin]
	if !known {
		if newest, err = o.newestBefore(ctx, stamp, m.Position); err != nil {
			return false, err
		}
	}
	o.newest[origin] = max(newest, stamp.Offset)
	switch {
	case stamp.Offset <= newest:
		return true, nil
	case stamp.Passed(stamps.Names.Target):
		m.Skip = true
	default:
		m.Via = stamp.Via + stamp.Cluster + ";"
	}
	return false, nil
}

// newestBefore is the highest stamped offset of the stamp's origin before a position of the queue
// that the lane reads, or -1.
func (o *origins) newestBefore(ctx context.Context, of replica.Stamp, position int64) (int64, error) {
	l, origin := o.lane, of.Origin()
	q := l.from()
	first, _, err := q.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	if l.reverse == nil || !l.reverse.stamps.Made(of) {
		first = max(first, position-lookBack)
	}
	newest := int64(-1)
	look := func(m replica.Message) bool {
		stamp, ok := replica.ParseStamp(m.Properties)
		if ok = ok && stamp.Place == l.shown.stamps.From && stamp.Origin() == origin; ok {
			newest = max(newest, stamp.Offset)
		}
		return ok
	}
	// what was sent again may lie after the newest copy, with an older stamp
	near := max(first, position-lookBack)
	err = q.Each(ctx, near, position, func(m replica.Message) bool { look(m); return true })
	if err == nil && newest < 0 {
		_, _, err = q.LastBefore(ctx, first, near, look)
	}
	return newest, err
}

// begin is where a lane begins that never ran. A forward lane copies the history, and of a retry
// topic what the group hasn't tried again. A reverse lane copies only what comes after the forward
// lane's first copy: what the target held before belongs to others.
func (c *copyLoop) begin(ctx context.Context, first, last int64) (int64, error) {
	if !c.lane.back {
		return c.lane.tried(ctx, first, last)
	}
	at, found, err := c.firstCopy(ctx)
	if !found {
		at = last
	}
	return at, err
}

// firstCopy finds the reverse lane's first copy on the queue that the lane reads.
func (c *copyLoop) firstCopy(ctx context.Context) (at int64, found bool, err error) {
	q := c.lane.from()
	first, last, err := q.Bounds(ctx)
	if err != nil {
		return 0, false, err
	}
	err = q.Each(ctx, first, last, func(m replica.Message) bool {
		if stamp, ok := replica.ParseStamp(m.Properties); ok && c.lane.reverse.stamps.Made(stamp) {
			at, found = m.Position, true
		}
		return !found
	})
	return at, found, err
}

// jump skips what a person gave up, and what the reverse lane has written, if the lane stands at
// it.
func (c *copyLoop) jump() {
	c.lane.state.changeIf(func(s *laneState) (changed bool) {
		if to, skip := c.decisions.skipTo(s.next); skip && s.next < s.end {
			to = min(to, s.end)
			s.giveUp(s.next, to)
			s.next, changed = to, true
		}
		for len(s.reverse.runs) > 0 && s.reverse.runs[0].from <= s.next {
			w := s.reverse.runs[0]
			s.reverse.runs = s.reverse.runs[1:]
			if s.next < w.to { // the first of them may have been read
				c.origins.newest[w.origin], s.next, c.jumped = w.newest, w.to, true
			}
			s.end, changed = max(s.end, s.next), true
		}
		return changed
	})
}

// resting reports whether applications write so rarely here that a waiting pull would mostly bring
// copies of the reverse lane: the home of the queue is the other side.
func (c *copyLoop) resting(now time.Time) bool {
	if c.lane.reverse == nil || now.Sub(c.lastOwn) < c.lane.timing.homeRest {
		return false
	}
	return c.lane.back || now.Sub(c.lane.state.snapshot().reverse.last) < c.lane.timing.homeRest
}

// rest waits until the queue holds something that the reverse lane hasn't written.
func (c *copyLoop) rest(ctx context.Context) error {
	defer c.lane.state.change(func(s *laneState) { s.resting = false })
	for c.resting(time.Now()) {
		c.jump()
		if s := c.lane.state.snapshot(); s.next < s.readable() {
			return nil
		}
		if err := c.hold(ctx); err != nil || !c.ready {
			return err
		}
		c.lane.state.change(func(s *laneState) { s.resting = true })
		select {
		case <-ctx.Done():
			return nil
		case <-c.lane.state.wake:
		}
	}
	return nil
}
