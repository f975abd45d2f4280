package replicator

import (
	"context"
	"sync"

	"rocketshift/replicator/lane"
)

// work is one run: its lanes, and the maintenance of both directions.
type work struct {
	ctx           context.Context
	running       sync.WaitGroup
	forward, back *maintenance

	mu    sync.Mutex
	lanes map[lane.Lane]bool // the forward ones
	ends  map[laneEnd]bool   // the queues of lanes
	ways  [2][]*laneWorker   // forward and reverse lanes, in the order in which they came

	rates [2]rates // of the reporter alone
}

func newWork(ctx context.Context, forward *direction) *work {
	w := &work{ctx: ctx, lanes: map[lane.Lane]bool{}, ends: map[laneEnd]bool{}}
	w.forward = newMaintenance(ctx, forward, &w.running)
	w.back = newMaintenance(ctx, forward.reverse(), &w.running)
	w.forward.stragglers.side, w.back.stragglers.side = lane.SideSource, lane.SideTarget
	return w
}

// laneEnd is a queue that has a lane.
type laneEnd struct {
	side  lane.Side
	topic string
	lane.Queue
}

func endsOfLane(l lane.Lane) [2]laneEnd {
	return [2]laneEnd{{lane.SideSource, l.Topic, l.Source}, {lane.SideTarget, l.Topic, l.Target}}
}

// add starts lanes that don't run yet, and returns those that it leaves out because another lane
// has one of their queues. Where a topic got more queues on several brokers, its queues would be
// paired anew, and messages would be copied again to other queues.
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
		l := newLaneWorker(w.forward.direction, lane, false)
		w.lanes[lane], w.ends[ends[0]], w.ends[ends[1]] = true, true, true
		if w.forward.options.BothWays {
			b := newLaneWorker(w.back.direction, lane.Back(), true)
			b.reverse, l.reverse = &l.shown, &b.shown
			w.start(w.back, b, 1)
		}
		w.start(w.forward, l, 0)
	}
	return left
}

func (w *work) start(m *maintenance, l *laneWorker, way int) {
	w.ways[way] = append(w.ways[way], l)
	m.join(l)
	w.running.Go(func() { newCopyLoop(l).run(w.ctx) })
}

// all returns the lanes of a direction so far: 0 forward, 1 reverse.
func (w *work) all(way int) []*laneWorker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ways[way]
}
