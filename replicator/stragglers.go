package replicator

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

const (
	// maxStragglers bounds the stragglers that one run names for each direction. More of them are
	// counted only.
	maxStragglers = 100
	// maxWriters bounds the senders that a lane remembers until it has asked whether applications
	// have left its queue.
	maxWriters = 64
	// burstPause ends a burst. A queue counts as left only after a longer pause, so no burst begins
	// before that and ends after it.
	burstPause = 250 * time.Millisecond
	// straggling is the least time over which rates of stragglers are measured.
	straggling = 10 * time.Second
)

// writers are the senders of what a lane has read since it last asked whether applications have
// left its queue. The copying loop notes them, maintenance takes them.
type writers struct {
	mu    sync.Mutex
	upTo  int64 // offsets below it are noted: a message may be judged more than once
	last  int64 // store time of the newest message, in milliseconds
	burst int   // number of the present burst
	seen  map[writer]*writing
	asked time.Time
}

// writer is a sender in one burst. Senders beyond maxWriters have an empty address.
type writer struct {
	sender netip.Addr
	burst  int
}

// writing is what a writer wrote.
type writing struct {
	first, count int64
	address      netip.AddrPort
	stored       int64
}

// note takes note of an application's own message.
func (w *writers) note(m *replica.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.Position < w.upTo {
		return
	}
	if m.StoreTimestamp-w.last >= burstPause.Milliseconds() {
		w.burst++
	}
	w.upTo, w.last = m.Position+1, m.StoreTimestamp
	by := writer{m.BornHost.Addr(), w.burst}
	of := w.seen[by]
	if of == nil && len(w.seen) >= maxWriters {
		by.sender = netip.Addr{}
		of = w.seen[by]
	}
	if of == nil {
		if w.seen == nil {
			w.seen = map[writer]*writing{}
		}
		of = &writing{first: m.Position}
		w.seen[by] = of
	}
	of.count++
	of.address, of.stored = m.BornHost, m.StoreTimestamp
}

// due reports whether somebody wrote, and the lane asked long enough ago.
func (w *writers) due(now time.Time, pause time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen) > 0 && now.Sub(w.asked) >= pause
}

// take returns and forgets what was noted.
func (w *writers) take(now time.Time) map[writer]*writing {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen, w.asked = nil, now
	w.burst++
	return seen
}

// back puts back what was taken, since no answer came.
func (w *writers) back(seen map[writer]*writing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for by, of := range w.seen {
		if len(seen) < maxWriters {
			seen[by] = of
			continue
		}
		by.sender = netip.Addr{}
		if seen[by] == nil {
			seen[by] = &writing{first: of.first}
		}
		seen[by].count += of.count
		seen[by].first, seen[by].stored = min(seen[by].first, of.first), max(seen[by].stored, of.stored)
	}
	w.seen = seen
}

// lookForStragglers asks, for each queue that applications wrote to, whether they have left it.
func (m *maintenance) lookForStragglers(lanes []*laneWorker) {
	now := time.Now()
	var together errgroup.Group
	together.SetLimit(commitsTogether)
	for _, l := range lanes {
		if l.writers.due(now, m.timing.straggle) {
			together.Go(func() error { l.tellStragglers(m.ctx, now); return nil })
		}
	}
	_ = together.Wait() // a lane without an answer asks again
}

func (l *laneWorker) tellStragglers(ctx context.Context, now time.Time) {
	seen := l.writers.take(now)
	left, yes, err := positions.LeftAt(ctx, l.source, l.options.Names, l.Lane)
	if err != nil {
		l.writers.back(seen)
		return
	}
	if !yes {
		return
	}
	for by, of := range seen {
		if of.first < left {
			continue
		}
		l.state.change(func(s *laneState) { s.stragglers += of.count })
		if by.sender.IsValid() {
			l.maintenance.stragglers.add(l.Lane, of, now)
		}
	}
}

// stragglers are the known ones of one run and direction.
type stragglers struct {
	side  lane.Side
	mu    sync.Mutex
	known map[strayName]*stray
}

type strayName struct {
	topic string
	lane.Queue
	sender netip.Addr
}

// stray is a straggler, with what its rate is measured from.
type stray struct {
	lane.Straggler
	since    time.Time
	before   int64
	measured bool
}

func (t *stragglers) add(l lane.Lane, of *writing, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := strayName{l.Topic, l.Source, of.address.Addr()}
	s := t.known[name]
	if s == nil {
		t.makeRoom()
		s = &stray{
			Straggler: lane.Straggler{Side: t.side, Topic: l.Topic, Broker: l.Source.Broker, Queue: l.Source.ID},
			since:     now,
		}
		t.known[name] = s
	}
	s.Messages += of.count
	if stored := time.UnixMilli(of.stored); !stored.Before(s.Last) { // the bursts come in any order
		s.Sender, s.Last = of.address.String(), stored
	}
}

// makeRoom forgets the straggler that has been silent for longest, if there are too many.
func (t *stragglers) makeRoom() {
	if t.known == nil {
		t.known = map[strayName]*stray{}
	}
	if len(t.known) < maxStragglers {
		return
	}
	var oldest strayName
	var since time.Time
	for name, s := range t.known {
		if since.IsZero() || s.Last.Before(since) {
			oldest, since = name, s.Last
		}
	}
	delete(t.known, oldest)
}

// all returns the stragglers, the busiest first.
func (t *stragglers) all(now time.Time) []lane.Straggler {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []lane.Straggler
	for _, s := range t.known {
		passed := now.Sub(s.since)
		if passed >= straggling || !s.measured {
			s.PerSecond = float64(s.Messages-s.before) / max(passed, rateWindow).Seconds()
		}
		if passed >= straggling {
			s.since, s.before, s.measured = now, s.Messages, true
		}
		all = append(all, s.Straggler)
	}
	lane.BusiestFirst(all)
	return all
}
