package replicator

import (
	"context"
	"sync"
	"time"

	"rocketshift/replicator/replica"
)

// lookBack is how many messages are searched for the newest copy of an origin other than the
// reverse lane: rings of clusters pass messages on all the time, and so does whoever sends them
// again.
const lookBack = 1024

// judge tells what a message on the queue that the lane reads is: skip if it is a copy of what the
// other side has already; via is the path of a copy from elsewhere, which its copy here goes on
// with. Everything else is an application's own.
//
// A stamp counts only on the queue that it was made for, and only if its offset is greater than
// every one of the same origin before it: else an application sent the message again with all its
// properties.
func (l *laneWorker) judge(ctx context.Context, m *replica.Message, now time.Time) error {
	if _, skip := l.skipTo(m.Position); skip {
		m.Skip = true
		l.change(func(s *laneState) { s.giveUp(m.Position, m.Position+1) })
		return nil
	}
	stamp, stamped := replica.ParseStamp(m.Properties)
	if !stamped || stamp.Place != l.From {
		l.own(m, now)
		return nil
	}
	origin := stamp.Origin()
	newest, known := l.seen[origin]
	if !known {
		var err error
		if newest, err = l.newestBefore(ctx, stamp, m.Position); err != nil {
			return err
		}
	}
	l.seen[origin] = max(newest, stamp.Offset)
	switch {
	case stamp.Offset <= newest:
		l.own(m, now)
	case stamp.Passed(l.Names.Target):
		m.Skip = true
	default:
		m.Via = stamp.Via + stamp.Cluster + ";"
	}
	return nil
}

// own is for a message that an application wrote where the lane reads.
func (l *laneWorker) own(m *replica.Message, now time.Time) {
	l.lastOwn = now
	l.writers.note(m)
}

// newestBefore is the highest stamped offset of the stamp's origin before a position of the queue
// that the lane reads, or -1.
func (l *laneWorker) newestBefore(ctx context.Context, of replica.Stamp, position int64) (int64, error) {
	origin := of.Origin()
	q := replica.Reader{Side: l.source, Group: l.options.Group, Topic: l.Topic, Queue: l.Source}
	first, _, err := q.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	if l.reverse == nil || !l.reverse.Made(of) {
		first = max(first, position-lookBack)
	}
	newest := int64(-1)
	look := func(m replica.Message) bool {
		stamp, ok := replica.ParseStamp(m.Properties)
		if ok = ok && stamp.Place == l.From && stamp.Origin() == origin; ok {
			newest = max(newest, stamp.Offset)
		}
		return ok
	}
	near := max(first, position-lookBack) // what was sent again may lie behind the newest copy, with an older stamp
	err = q.Each(ctx, near, position, func(m replica.Message) bool { look(m); return true })
	if err == nil && newest < 0 {
		_, _, err = q.LastBefore(ctx, first, near, look)
	}
	return newest, err
}

// begin is where a lane starts that never ran. A forward lane copies the history, of retries only
// what the group hasn't tried again; a reverse lane only what comes after the first copy of the
// forward lane: what the target held before is of others.
func (l *laneWorker) begin(ctx context.Context, first, last int64) (int64, error) {
	if !l.back {
		return l.tried(ctx, first, last)
	}
	at, found, err := l.firstCopy(ctx)
	if !found {
		at = last
	}
	return at, err
}

// firstCopy finds the reverse lane's first copy on the queue that the lane reads.
func (l *laneWorker) firstCopy(ctx context.Context) (at int64, found bool, err error) {
	q := replica.Reader{Side: l.source, Group: l.options.Group, Topic: l.Topic, Queue: l.Source}
	first, last, err := q.Bounds(ctx)
	if err != nil {
		return 0, false, err
	}
	err = q.Each(ctx, first, last, func(m replica.Message) bool {
		if stamp, ok := replica.ParseStamp(m.Properties); ok && l.reverse.Made(stamp) {
			at, found = m.Position, true
		}
		return !found
	})
	return at, found, err
}

// written is a run of copies that the reverse lane has stored where this lane reads: there is no
// need to read them.
type written struct {
	from, to int64 // positions
	newest   int64 // stamped offset of the last one
	origin   replica.Origin
}

// maxWritten bounds what is remembered; what is forgotten is read, and known by its stamps.
const maxWritten = 1024

// learn takes what the reverse lane has written.
func (l *laneWorker) learn(w written) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Store(true)
	l.state.twinWrote = time.Now()
	if n := len(l.state.written); n > 0 && l.state.written[n-1].to == w.from {
		l.state.written[n-1].to, l.state.written[n-1].newest = w.to, w.newest
	} else {
		l.state.written = append(l.state.written, w)
	}
	if len(l.state.written) > maxWritten {
		l.state.written = l.state.written[1:]
	}
	l.rouse()
}

// jump goes on behind what a person gave up, and behind what the reverse lane has written, where
// the lane stands at it.
func (l *laneWorker) jump() {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.state
	if to, skip := l.skipTo(s.next); skip && s.next < s.end {
		to = min(to, s.end)
		s.giveUp(s.next, to)
		s.next = to
		l.changed.Store(true)
	}
	for len(s.written) > 0 && s.written[0].from <= s.next {
		w := s.written[0]
		s.written = s.written[1:]
		if s.next < w.to { // the first of them may have been read
			l.seen[w.origin], s.next, l.jumped = w.newest, w.to, true
		}
		s.end = max(s.end, s.next)
		l.changed.Store(true)
	}
}

// readable is the end of what the lane has to read now: of the queue, or of what lies before copies
// of the reverse lane.
func (s laneState) readable() int64 {
	if len(s.written) > 0 && s.written[0].from >= s.next {
		return min(s.end, s.written[0].from)
	}
	return s.end
}

// resting reports whether messages of applications are so rare here that waiting for them with a
// pull would mostly bring copies of the reverse lane: their home is on the other side.
func (l *laneWorker) resting(now time.Time) bool {
	if l.reverse == nil || now.Sub(l.lastOwn) < l.timing.homeRest {
		return false
	}
	return l.back || now.Sub(l.snapshot().twinWrote) < l.timing.homeRest
}

// rest waits until the queue holds something that the reverse lane hasn't written.
func (l *laneWorker) rest(ctx context.Context) error {
	defer l.change(func(s *laneState) { s.resting = false })
	for l.resting(time.Now()) {
		l.jump()
		if s := l.snapshot(); s.next < s.readable() {
			return nil
		}
		if err := l.hold(ctx); err != nil || !l.ready {
			return err
		}
		l.change(func(s *laneState) { s.resting = true })
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
	}
	return nil
}

// rouse wakes a lane that rests.
func (l *laneWorker) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// sends counts the batches that a lane has sent, and the answers: who sees as many of both before
// and after it looked knows that nothing was on its way.
type sends struct{ begun, ended int64 }

func (s sends) all() bool { return s.begun == s.ended }

// sendCounter is sends, to be read by the reverse lane.
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
