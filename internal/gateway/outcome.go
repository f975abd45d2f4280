package gateway

import (
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/replicator/lane"
)

// apply makes an outcome so in memory.
func (g *Gateway) apply(o *store.Outcome) {
	g.table.decided.Lock()
	defer g.table.decided.Unlock()
	for _, h := range o.Homes {
		q := g.table.queueFor(h.Topic, h.Broker, h.Queue)
		home, _ := routing.SideOf(h.Home)
		q.shift.Store(h.Shift)
		before := routing.Side(q.home.Swap(uint32(home)))
		g.table.away.Add(int64(home) - int64(before))
	}
	for _, kept := range o.Views {
		v := g.table.groups.get([]byte(kept.Group)).of(g.table.queueFor(kept.Topic, kept.Broker, kept.Queue))
		on, _ := routing.SideOf(kept.Side)
		v.mu.Lock()
		before := v.side
		if before != on && v.onItsWay() >= 0 { // perhaps not to the side that the group reads from now
			v.owed, v.dirty = true, true
		}
		v.side, v.shift, v.proved = on, kept.Shift, kept.Proved
		v.mu.Unlock()
		g.table.away.Add(int64(on) - int64(before))
	}
	if judge, known := routing.SideOf(o.Authority); known {
		before := routing.Side(g.table.authoritySide.Swap(uint32(judge)))
		g.table.away.Add(int64(judge) - int64(before))
	}
	g.moves.epoch.Store(o.Epoch)
}

// learnLanes takes over lanes that this gateway hasn't seen yet. What it has seen itself counts
// more.
func (rt *routingTable) learnLanes(lanes []lane.Lane) {
	for i := range lanes {
		lane := &lanes[i]
		rt.queueFor(lane.Topic, lane.Source.Broker, lane.Source.ID).lane.CompareAndSwap(nil, lane)
	}
}

// canGoBy refuses an outcome that sends anything to a place on the target that isn't known here.
func (g *Gateway) canGoBy(o *store.Outcome) error {
	for _, h := range o.Homes {
		if q := g.table.queueFor(h.Topic, h.Broker, h.Queue); h.Home == routing.Target.String() &&
			q.lane.Load() == nil {
			return control.Refused("gateway %s doesn't know the lane of queue %s: it hasn't seen the topic yet",
				g.config.Name, q)
		}
	}
	for _, v := range o.Views {
		if q := g.table.queueFor(v.Topic, v.Broker, v.Queue); v.Side == routing.Target.String() &&
			q.lane.Load() == nil {
			return control.Refused(
				"gateway %s doesn't know the lane of queue %s, which group %s reads: it hasn't seen the topic yet",
				g.config.Name, q, v.Group,
			)
		}
	}
	return nil
}

// standing is how everything that an outcome names is now.
func (g *Gateway) standing(of *store.Outcome) *store.Outcome {
	now := &store.Outcome{Epoch: g.moves.epoch.Load()}
	for _, h := range of.Homes {
		now.Homes = append(now.Homes, homeOf(g.table.queueFor(h.Topic, h.Broker, h.Queue)))
	}
	for _, kept := range of.Views {
		now.Views = append(now.Views,
			viewAsIs(g.table.groups.get([]byte(kept.Group)).of(g.table.queueFor(kept.Topic, kept.Broker, kept.Queue))))
	}
	if of.Authority != "" {
		now.Authority = g.table.authority().String()
	}
	return now
}

func homeOf(q *queue) store.Home {
	return store.Home{Topic: q.topic, Broker: q.broker, Queue: q.id, Home: q.at().String(), Shift: q.shift.Load()}
}

func viewAsIs(v *view) store.View {
	v.mu.Lock()
	defer v.mu.Unlock()
	return store.View{
		Group:  v.group,
		Topic:  v.queue.topic,
		Broker: v.queue.broker,
		Queue:  v.queue.id,
		Side:   v.side.String(),
		Shift:  v.shift,
		Proved: v.proved,
	}
}

// queueFor is a queue of the source, which is made if the gateway hasn't seen it yet.
func (rt *routingTable) queueFor(name, broker string, id int) *queue {
	t := rt.topics.ensure(name)
	t.ensure(broker, id+1)
	return t.queue([]byte(broker), int64(id))
}
