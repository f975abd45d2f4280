package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// viewsOf are a group's views of all queues that it reads and that may move to a side: of those
// that were asked for here, and of those that it has positions on.
func (g *Gateway) viewsOf(ctx context.Context, name string, to routing.Side) ([]*routing.View, error) {
	one := g.table.Groups.Get([]byte(name))
	topics := map[string]bool{rocketmq.RetryTopic(name): true}
	for _, v := range one.All() {
		topics[v.Queue.Topic] = true
	}
	brokers, err := g.sides.Source.Brokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	for _, b := range brokers { // of the group alone: all positions of a broker may be more than a frame
		positions, err := g.sides.Source.Client().ConsumeStats(ctx, b.Addr, name)
		if err != nil {
			return nil, fmt.Errorf("positions on source broker %s: %w", b.Name, err)
		}
		for of := range positions {
			topics[of.Topic] = true
		}
	}
	var all []*routing.View
	for _, topic := range routing.SortedKeys(topics) {
		t := g.table.Topics.Get([]byte(topic))
		if t == nil {
			continue // it is no more, or it is the group's retry topic that no broker has made yet
		}
		// the way back needs nothing but the lanes that it came by
		if problem := t.Reason(); problem != "" && to == routing.Target {
			return nil, fmt.Errorf("group %s: %s", name, problem)
		}
		for _, q := range t.All() {
			if v := one.Of(q); !v.StaysBehind(to) {
				all = append(all, v)
			}
		}
	}
	return all, nil
}

// prepareViews makes the group's pulls wait.
func (g *Gateway) prepareViews(
	r store.Round, to routing.Side,
) (waits []*routing.View, known store.Prepared, err error) {
	one := g.table.Groups.Get([]byte(r.Group))
	views := slices.DeleteFunc(one.All(), func(v *routing.View) bool {
		return v.StaysBehind(to) && !slices.Contains(r.Queues, v.Queue.Name()) // who leads may know its lane
	})
	for _, q := range r.Queues {
		if v := one.Of(g.table.QueueFor(q.Topic, q.Broker, q.ID)); !slices.Contains(views, v) {
			views = append(views, v)
		}
	}
	if err := g.table.Groups.MayFollow(one.Name, to); err != nil {
		return nil, known, err
	}
	if waits, err = g.clients.registry.stopPulls(views, to); err != nil {
		return nil, known, err
	}
	broadcasts := r.WithoutTarget && g.clients.membersHere()[one.Name]
	for _, v := range waits {
		is := preparedOf(v)
		if r.WithoutTarget {
			is.Next = v.MayAskFor(broadcasts)
		}
		known.Views = append(known.Views, is)
	}
	return waits, known, nil
}

// preparedOf is what this gateway knows of where the group is.
func preparedOf(v *routing.View) store.PreparedView {
	is := v.Progress()
	return store.PreparedView{
		TopicQueue: v.Queue.Name(),
		Next:       is.Next,
		NextAge:    control.Duration(time.Since(is.NextAt)),
		Kept:       is.OnItsWay,
		KeptAge:    control.Duration(time.Since(is.KeptAt)),
		Claimed:    is.Claimed,
	}
}

// newest puts together what all gateways know: of each queue what the one knows that has answered a
// pull, or taken a commit, last.
func newest(all []store.Prepared) map[control.TopicQueue]store.PreparedView {
	best := map[control.TopicQueue]store.PreparedView{}
	for _, known := range all {
		for _, v := range known.Views {
			now, there := best[v.TopicQueue]
			if !there {
				best[v.TopicQueue] = v
				continue
			}
			if v.Next >= 0 && (now.Next < 0 || v.NextAge < now.NextAge) {
				now.Next, now.NextAge = v.Next, v.NextAge
			}
			if v.Kept >= 0 && (now.Kept < 0 || v.KeptAge < now.KeptAge) {
				now.Kept, now.KeptAge = v.Kept, v.KeptAge
			}
			now.Claimed = max(now.Claimed, v.Claimed)
			best[v.TopicQueue] = now
		}
	}
	return best
}

// proveViews finds for each queue the place on the other side that is the same as the group's next
// offset, and brings the group's position there.
func (g *Gateway) proveViews(
	ctx context.Context,
	p *rounds.Current,
	prepared []store.Prepared,
	brought map[*routing.View]replicas.Beforehand,
) (*store.Outcome, error) {
	l, err := g.sides.Lanes()
	if err != nil {
		return nil, err
	}
	one := g.table.Groups.Get([]byte(p.Round().Group))
	known := newest(prepared)
	names := slices.DeleteFunc(slices.Collect(maps.Keys(known)), func(name control.TopicQueue) bool {
		return one.Of(g.table.QueueFor(name.Topic, name.Broker, name.ID)).
			StaysBehind(p.To())
		// as far as this gateway knows
	})
	o := &store.Outcome{Views: make([]store.View, len(names))}
	var all errgroup.Group
	all.SetLimit(replicas.ProvedTogether)
	for i, name := range names {
		all.Go(func() error {
			v := one.Of(g.table.QueueFor(name.Topic, name.Broker, name.ID))
			a, looked := brought[v]
			if !looked { // another gateway alone knows it
				var err error
				if a.Position, a.Known, err = l.Position(ctx, v.Queue, v.Group, p.To().Other()); err != nil {
					return err
				}
			}
			s, err := l.Step(ctx, v, p.To(), known[name], a)
			o.Views[i] = afterMove(v, p.To(), s)
			return err
		})
	}
	err = all.Wait()
	for _, name := range names {
		if lane := g.table.QueueFor(name.Topic, name.Broker, name.ID).Lane(); lane != nil {
			o.Lanes = append(o.Lanes, *lane)
		}
	}
	return o, err
}

// afterMove is the view as it reads from the other side.
func afterMove(v *routing.View, to routing.Side, s replicas.Step) store.View {
	w := viewAsIs(v)
	w.Side, w.Proved, w.Shift[to] = to.String(), s.Next, s.There-s.Next
	return w
}

// stopPulls makes the pulls of views wait that are to move, and answers those that wait at brokers.
// It returns the views.
func (sr *sessionRegistry) stopPulls(views []*routing.View, to routing.Side) ([]*routing.View, error) {
	var moving []*routing.View
	is := map[*routing.View]bool{}
	for _, v := range views {
		stopped, busy := v.Stop(to)
		if stopped {
			moving, is[v] = append(moving, v), true
		}
		if busy {
			routing.GoOn(moving)
			return nil, fmt.Errorf("group %s is being moved already", v.Group)
		}
	}
	wanted := map[routing.Wanted]bool{} // by pulls that came before these views
	for _, v := range moving {
		wanted[v.Wanted()] = true
	}
	for _, s := range sr.all() {
		s.owe(0, nil, s.takeAll(func(c call) bool {
			return isPull(c.code) && (is[c.view] || c.rare != nil && c.rare.wants != nil && wanted[*c.rare.wants])
		})...)
	}
	return moving, nil
}
