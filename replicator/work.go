package replicator

import (
	"context"
	"sync"
	"time"

	"rocketshift/replicator/lane"
)

// work is one run: its lanes, and who serves them.
type work struct {
	*Replicator
	ctx           context.Context
	running       sync.WaitGroup
	forward, back *maintenance

	mu    sync.Mutex
	lanes map[lane.Lane]bool // the forward ones
	ends  map[laneEnd]bool   // queues that lanes read or write
	ways  [2][]*laneWorker   // forward and reverse lanes, in the order in which they came

	rates [2]rates // of the reporter alone
}

func newWork(ctx context.Context, r *Replicator) *work {
	w := &work{Replicator: r, ctx: ctx, lanes: map[lane.Lane]bool{}, ends: map[laneEnd]bool{}}
	w.forward, w.back = newMaintenance(ctx, r, &w.running), newMaintenance(ctx, r.reverse(), &w.running)
	w.forward.stragglers.side, w.back.stragglers.side = "source", "target"
	return w
}

// laneEnd is a queue that has a lane.
type laneEnd struct {
	side, topic string
	lane.Queue
}

func endsOfLane(l lane.Lane) [2]laneEnd {
	return [2]laneEnd{{"source", l.Topic, l.Source}, {"target", l.Topic, l.Target}}
}

// add starts lanes that don't run yet. A lane of a queue that another lane has is left out: where a
// topic got more queues on several brokers, queues would be paired anew, and what was copied would
// be copied again elsewhere.
func (w *work) add(lanes []lane.Lane) (left []lane.Lane) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, lane := range lanes {
		ends := endsOfLane(lane)
		if w.lanes[lane] {
			continue
		}
		if w.ends[ends[0]] || w.ends[ends[1]] {
			left = append(left, lane)
			continue
		}
		l := newLaneWorker(w.Replicator, lane, false)
		w.lanes[lane], w.ends[ends[0]], w.ends[ends[1]] = true, true, true
		if w.options.BothWays {
			b := newLaneWorker(w.back.Replicator, lane.Back(), true)
			b.reverse, l.reverse = l, b
			w.start(w.back, b, 1)
		}
		w.start(w.forward, l, 0)
	}
	return left
}

func (w *work) start(c *maintenance, l *laneWorker, way int) {
	w.ways[way] = append(w.ways[way], l)
	c.join(l)
	w.running.Go(func() { l.run(w.ctx) })
}

// all are the lanes of a way so far.
func (w *work) all(way int) []*laneWorker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ways[way]
}

func (w *work) progress() lane.Progress {
	now := time.Now()
	p := progressOf(w.all(0))
	p.Topics = w.rates[0].of(topicsOf(w.all(0), now), now)
	p.Stragglers = w.forward.stragglers.all(now)
	if w.options.BothWays {
		back := progressOf(w.all(1))
		back.Topics = w.rates[1].of(topicsOf(w.all(1), now), now)
		back.Stragglers = w.back.stragglers.all(now)
		p.Back = &back
	}
	return p
}

// rateWindow is over how long rates are measured, at least.
const rateWindow = 5 * time.Second

// rates measures how fast topics are copied.
type rates struct {
	since  time.Time
	before map[string]int64   // copied messages then
	last   map[string]float64 // messages a second in the window before
}

// of fills in the rates: of the present window as soon as it is long enough, else of the one
// before.
func (r *rates) of(topics []lane.TopicProgress, now time.Time) []lane.TopicProgress {
	passed := now.Sub(r.since)
	next := passed >= rateWindow
	fresh := map[string]float64{}
	for i := range topics {
		t := &topics[i]
		if !r.since.IsZero() && passed > 0 {
			fresh[t.Topic] = float64(t.Copied-r.before[t.Topic]) / passed.Seconds()
		}
		if last, measured := r.last[t.Topic]; measured && !next {
			t.PerSecond = last
		} else {
			t.PerSecond = fresh[t.Topic]
		}
	}
	if next || r.since.IsZero() {
		if !r.since.IsZero() {
			r.last = fresh
		}
		r.since, r.before = now, map[string]int64{}
		for _, t := range topics {
			r.before[t.Topic] = t.Copied
		}
	}
	return topics
}
