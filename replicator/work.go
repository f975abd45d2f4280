package replicator

import (
	"context"
	"sync"
)

// work is one run: its lanes, and who serves them.
type work struct {
	*Replicator
	ctx           context.Context
	running       sync.WaitGroup
	forward, back *crew

	mu    sync.Mutex
	lanes map[Lane]*runner // the forward ones
	ways  [2][]*runner     // forward and reverse lanes, in the order in which they came
}

func newWork(ctx context.Context, r *Replicator) *work {
	w := &work{Replicator: r, ctx: ctx, lanes: map[Lane]*runner{}}
	w.forward, w.back = newCrew(ctx, r, &w.running), newCrew(ctx, r.reverse(), &w.running)
	return w
}

// add starts lanes that don't run yet.
func (w *work) add(lanes []Lane) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, lane := range lanes {
		if w.lanes[lane] != nil {
			continue
		}
		l := newRunner(w.Replicator, lane)
		w.lanes[lane] = l
		if w.options.BothWays {
			b := newRunner(w.back.Replicator, lane.Back())
			b.back, b.twin, l.twin = true, l, b
			w.start(w.back, b, 1)
		}
		w.start(w.forward, l, 0)
	}
}

func (w *work) start(c *crew, l *runner, way int) {
	w.ways[way] = append(w.ways[way], l)
	c.join(l)
	w.running.Go(func() { l.run(w.ctx) })
}

// all are the lanes of a way so far.
func (w *work) all(way int) []*runner {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ways[way]
}

func (w *work) progress() Progress {
	p := progressOf(w.all(0))
	if w.options.BothWays {
		back := progressOf(w.all(1))
		p.Back = &back
	}
	return p
}
