package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A move without the target brings homes, groups or the authority back to the source while no
// broker of the target answers. Nothing can be proved on the target then, so that a group goes on
// from the position that the source has for it, and may read messages again; it skips none. What
// was written on the target and isn't copied yet stays there: it is owed, see owing.go.

const (
	// targetTime bounds how long a broker of the target may take to answer, so that all gateways
	// can ask within the budget of a round.
	targetTime = 500 * time.Millisecond
	// awayLife is how long it counts that no broker answered: groups return one after the other,
	// and of a target that gives no answer at all each look takes targetTime.
	awayLife = 2 * time.Second
	// askedAgain is how long after its begin a gateway knows where members are in queues: stock
	// clients connect, send a heartbeat and ask again within this time, whatever they lost.
	askedAgain = comeBackTime
)

// awayTarget remembers when no broker of the target answered.
type awayTarget struct {
	mu   sync.Mutex
	seen time.Time
}

// mayGoWithout refuses a move without the target that isn't one to the source, or of which it isn't
// said who asks for it, and why.
func mayGoWithoutTarget(m control.Move, to routing.Side) error {
	switch {
	case !m.WithoutTarget:
		return nil
	case to != routing.Source:
		return control.Refused("withoutTarget is for moves to the source only: the target must answer to take anything")
	case m.By == "" || m.Reason == "":
		return control.Refused("withoutTarget needs by and reason: who asks for it, and why")
	}
	return nil
}

// targetIsAway refuses while any broker of the target answers this gateway: with a word of refusal
// too, as then the usual move can be done.
func (g *Gateway) targetIsAway(ctx context.Context) error {
	g.awayTarget.mu.Lock()
	defer g.awayTarget.mu.Unlock()
	if !g.awayTarget.seen.IsZero() && time.Since(g.awayTarget.seen) < awayLife {
		return nil
	}
	l, err := g.sides.lanes()
	if err != nil {
		return control.Refused("%v", err)
	}
	names := g.sides.brokersOf(routing.Target)
	if len(names) == 0 {
		return control.Refused("gateway %s knows no broker of the target, and can't tell whether it answers",
			g.config.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, targetTime)
	defer cancel()
	var all errgroup.Group
	for _, name := range names {
		for _, addr := range g.addresses(routing.Dest{Side: routing.Target, Broker: name}) {
			all.Go(func() error {
				if !answers(ctx, l.migration.target.Client(), addr) {
					return nil
				}
				return control.Refused("target broker %s at %s answers gateway %s: ask without withoutTarget",
					name, addr, g.config.Name)
			})
		}
	}
	if err := all.Wait(); err != nil {
		return err
	}
	g.awayTarget.seen = time.Now()
	return nil
}

// mayTakePart refuses a round without the target that this gateway has no reason for, and one of a
// group whose members behind this gateway the target would refuse.
func (g *Gateway) mayTakePart(ctx context.Context, r store.Round, to routing.Side) error {
	if r.Leader != g.config.Name { // who leads has done so
		if err := g.triesOfOwn(ctx, r, to); err != nil {
			return err
		}
	}
	switch {
	case !r.WithoutTarget && to == routing.Target:
		return g.owing.NothingOf(r.Queues)
	case !r.WithoutTarget:
		return nil
	case to == routing.Target:
		return control.Refused("a round without the target can't go to it")
	}
	return g.targetIsAway(ctx)
}

// answers reports whether a broker answers anything at all, be it a refusal. Its configuration is
// asked for, as that costs it little: runtime facts take a busy 5.3.3 longer than targetTime.
func answers(ctx context.Context, c *rocketmq.Client, addr string) bool {
	_, err := c.BrokerConfig(ctx, addr)
	var refusal *remoting.Error
	return err == nil || errors.As(err, &refusal)
}

// homesWithoutTarget is the outcome of a round in which queues get the source as their home, with
// nothing proved.
func (rt *routingTable) homesWithoutTarget(
	_ context.Context,
	p *rounds.Current,
	all []store.Prepared,
) (*store.Outcome, error) {
	rt.learnAcknowledged(all)
	o := &store.Outcome{}
	for _, q := range heldFor(p).homes.queues { // the shift stays: answers to sends of before are translated by it
		o.Homes = append(o.Homes, store.Home{
			Topic:  q.topic,
			Broker: q.broker,
			Queue:  q.id,
			Home:   routing.Source.String(),
			Shift:  q.shift.Load(),
		})
		o.Lanes = append(o.Lanes, *q.lane.Load())
	}
	return o, nil
}

// groupWithoutTarget makes a group read on at the source, from the positions that the source has.
func (g *Gateway) groupWithoutTarget(ctx context.Context, r store.Round) (outcome, error) {
	views, err := g.viewsOf(ctx, r.Group, routing.Source)
	if err != nil {
		return outcome{}, err
	}
	for _, v := range views {
		if v.reads() == routing.Target {
			r.Queues = append(r.Queues, v.queue.name())
		}
	}
	return g.lead(ctx, r, g.viewsWithoutTarget)
}

// viewsWithoutTarget finds for each queue where a group goes on at the source.
func (g *Gateway) viewsWithoutTarget(
	ctx context.Context, p *rounds.Current, prepared []store.Prepared,
) (*store.Outcome, error) {
	l, err := g.sides.lanes()
	if err != nil {
		return nil, err
	}
	one, known := g.table.groups.get([]byte(p.Round().Group)), furthest(prepared)
	names := slices.SortedFunc(maps.Keys(known), control.CompareQueues)
	o := &store.Outcome{Views: make([]store.View, len(names))}
	broadcasts := g.membersHere()[one.name]
	var all errgroup.Group
	all.SetLimit(provedTogether)
	for i, name := range names {
		v := one.of(g.table.queueFor(name.Topic, name.Broker, name.ID))
		if lane := v.queue.lane.Load(); lane != nil {
			o.Lanes = append(o.Lanes, *lane)
		}
		all.Go(func() (err error) {
			o.Views[i], err = g.without(ctx, l, v, known[name], broadcasts)
			return err
		})
	}
	return o, all.Wait()
}

// without is a view as it reads from the source from the position that this has. Next is where the
// group's members are at most, -1 if no gateway knows: they go on there, and get what lies at the
// position.
func (g *Gateway) without(
	ctx context.Context, l lanes, v *view, next int64, broadcasts bool,
) (w store.View, err error) {
	w = viewAsIs(v)
	w.Side = routing.Source.String()
	first, end, err := l.sourceBounds(ctx, v.queue)
	if err != nil {
		return w, fmt.Errorf("group %s: %w", v.group, err)
	}
	if next < 0 && time.Since(g.serving) < askedAgain {
		return w, fmt.Errorf("group %s: where members are in queue %s isn't known yet, as the gateway "+
			"has just begun: try again", v.group, v.queue)
	}
	if broadcasts { // members keep their positions themselves: the one that is furthest must skip nothing
		if next >= 0 {
			w.Shift[routing.Source] = min(w.Shift[routing.Source], end-next)
		}
		return w, nil
	}
	position, known, err := l.position(ctx, v.queue, v.group, routing.Source)
	if err != nil {
		return w, fmt.Errorf("group %s: %w", v.group, err)
	}
	if at := min(position, end); !known || at < position {
		if position = at; !known {
			position = first
		}
		if err := l.commit(ctx, v.queue, v.group, routing.Source, position); err != nil {
			return w, err
		}
	}
	if next >= 0 {
		w.Shift[routing.Source], w.Proved = position-next, next
	}
	return w, nil
}

// sourceBounds are where a queue begins and ends on the source.
func (l lanes) sourceBounds(ctx context.Context, q *queue) (first, end int64, err error) {
	if first, err = l.first(ctx, q, routing.Source); err != nil {
		return 0, 0, err
	}
	broker, err := l.clusters[routing.Source].Broker(ctx, q.broker)
	if err != nil {
		return 0, 0, err
	}
	end, err = l.clusters[routing.Source].Client().MaxOffset(ctx, broker.Addr, q.topic, q.id)
	return first, end, err
}

// furthest is, of each queue, the highest offset that members of a group may ask for next, by what
// any gateway knows: whoever is further back reads messages again, and nobody skips any.
func furthest(all []store.Prepared) map[control.TopicQueue]int64 {
	next := map[control.TopicQueue]int64{}
	for _, known := range all {
		for _, v := range known.Views {
			was, there := next[v.TopicQueue]
			if !there {
				was = -1
			}
			next[v.TopicQueue] = max(was, v.Next)
		}
	}
	return next
}

// asks takes note of the offset that a member asks for, for as long as no broker answers. Callers
// hold v.mu.
func (v *view) asks(offset int64) {
	v.askedFor, v.askedFurthest = offset+1, max(v.askedFurthest, offset+1)
}

// answers takes note of the answer to a pull. Nobody is at an offset that a broker refuses to read,
// or that is behind the end of what it has. Callers hold v.mu.
func (v *view) answers(f *wire.Frame, c call) {
	end, known := f.Number("maxOffset")
	if known && pullTaken(f.Code) && v.native(c.side, c.offset) <= end {
		v.told = max(v.told, c.offset+1)
	}
	if !c.member { // the answer to a stranger's pull says nothing of a member's
		return
	}
	if v.askedFor == c.offset+1 {
		v.askedFor = 0
	}
	if v.askedFurthest == c.offset+1 {
		v.askedFurthest = 0
	}
}

// mayAskFor is the highest offset that members may ask for next; -1 if that isn't known. Those of a
// broadcasting group are each at a place of their own.
func (v *view) mayAskFor(broadcasts bool) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if broadcasts {
		return max(v.next, v.askedFurthest-1, v.told-1)
	}
	return max(v.next, v.askedFor-1)
}
