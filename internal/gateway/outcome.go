package gateway

import (
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// apply makes an outcome so in memory.
func (g *Gateway) apply(o *store.Outcome) {
	defer g.table.Decides()()
	for _, h := range o.Homes {
		q := g.table.QueueFor(h.Topic, h.Broker, h.Queue)
		home, _ := routing.SideOf(h.Home)
		g.table.MoveHome(q, home, h.Shift)
	}
	for _, kept := range o.Views {
		v := g.table.Groups.Get([]byte(kept.Group)).Of(g.table.QueueFor(kept.Topic, kept.Broker, kept.Queue))
		on, _ := routing.SideOf(kept.Side)
		g.table.MoveView(v, routing.ViewState{Side: on, Shift: kept.Shift, Proved: kept.Proved})
	}
	if judge, known := routing.SideOf(o.Authority); known {
		g.table.MoveAuthority(judge)
	}
	g.moves.epoch.Store(o.Epoch)
}

// canGoBy refuses an outcome that sends anything to a place on the target that isn't known here.
func (g *Gateway) canGoBy(o *store.Outcome) error {
	for _, h := range o.Homes {
		if q := g.table.QueueFor(h.Topic, h.Broker, h.Queue); h.Home == routing.Target.String() &&
			q.Lane() == nil {
			return control.Refused("gateway %s doesn't know the lane of queue %s: it hasn't seen the topic yet",
				g.config.Name, q)
		}
	}
	for _, v := range o.Views {
		if q := g.table.QueueFor(v.Topic, v.Broker, v.Queue); v.Side == routing.Target.String() &&
			q.Lane() == nil {
			return control.Refused(
				"gateway %s doesn't know the lane of queue %s, which group %s reads: it hasn't seen the topic yet",
				g.config.Name, q, v.Group,
			)
		}
	}
	return nil
}

// viewState is how everything that an outcome names is now.
func (g *Gateway) standing(of *store.Outcome) *store.Outcome {
	now := &store.Outcome{Epoch: g.moves.epoch.Load()}
	for _, h := range of.Homes {
		now.Homes = append(now.Homes, homeOf(g.table.QueueFor(h.Topic, h.Broker, h.Queue)))
	}
	for _, kept := range of.Views {
		now.Views = append(now.Views,
			viewAsIs(g.table.Groups.Get([]byte(kept.Group)).Of(g.table.QueueFor(kept.Topic, kept.Broker, kept.Queue))))
	}
	if of.Authority != "" {
		now.Authority = g.table.Authority().String()
	}
	return now
}

func homeOf(q *routing.Queue) store.Home {
	return store.Home{Topic: q.Topic, Broker: q.Broker, Queue: q.ID, Home: q.At().String(), Shift: q.Shift()}
}

func viewAsIs(v *routing.View) store.View {
	is := v.Standing()
	return store.View{
		Group:  v.Group,
		Topic:  v.Queue.Topic,
		Broker: v.Queue.Broker,
		Queue:  v.Queue.ID,
		Side:   is.Side.String(),
		Shift:  is.Shift,
		Proved: is.Proved,
	}
}
