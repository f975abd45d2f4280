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
	// maxStragglers bounds those that are remembered of one run and direction. More of them are
	// counted, but not named.
	maxStragglers = 100
	// maxWriters bounds the senders that a lane remembers until it has asked whether its queue was
	// left.
	maxWriters = 64
	// burstPause ends a burst. Nobody says that a queue is left before it was quiet for longer, so
	// that no burst lies on both sides of that.
	burstPause = 250 * time.Millisecond
	// straggling is over how long the rates of stragglers are measured, at least.
	straggling = 10 * time.Second
)

// writers are those who wrote what a lane has read since it last asked whether its queue was left.
type writers struct {
	mu    sync.Mutex
	upTo  int64 // offsets below are taken note of: a message may be judged more than once
	last  int64 // store time of the newest message, in milliseconds
	burst int   // number of the present burst
	seen  map[writer]*writing
	asked time.Time
}

// writer is a sender in one burst. The sender is empty for those beyond maxWriters.
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

// due reports whether somebody wrote, and the lane didn't ask just before.
func (w *writers) due(now time.Time, pause time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen) > 0 && now.Sub(w.asked) >= pause
}

// take returns what was noted, and begins anew.
func (w *writers) take(now time.Time) map[writer]*writing {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen, w.asked = nil, now
	w.burst++
	return seen
}

// back puts back what was taken, as nobody answered.
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

// lookForStragglers asks for queues that applications wrote to whether they have left them.
func (m *maintenance) lookForStragglers(lanes []*laneWorker) {
	now := time.Now()
	var together errgroup.Group
	together.SetLimit(commitsTogether)
	for _, l := range lanes {
		if l.writers.due(now, m.timing.straggle) {
			together.Go(func() error { l.tellStragglers(m.ctx, now); return nil })
		}
	}
	_ = together.Wait() // who got no answer asks again
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

// stragglers are those of one run and direction that are remembered.
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

// stray is a straggler, and what its rate is measured from.
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
	if stored := time.UnixMilli(of.stored); !stored.Before(s.Last) { // the bursts of an answer come in any order
		s.Sender, s.Last = of.address.String(), stored
	}
}

// makeRoom forgets who has been silent for longest.
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

// all are those known, the busiest first.
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
