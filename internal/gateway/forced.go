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
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
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
	l, err := g.sides.Lanes()
	if err != nil {
		return control.Refused("%v", err)
	}
	names := g.sides.BrokersOf(routing.Target)
	if len(names) == 0 {
		return control.Refused("gateway %s knows no broker of the target, and can't tell whether it answers",
			g.config.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, targetTime)
	defer cancel()
	var all errgroup.Group
	for _, name := range names {
		for _, addr := range g.clients.addresses(routing.Dest{Side: routing.Target, Broker: name}) {
			all.Go(func() error {
				if !answers(ctx, l.Migration.TargetCluster.Client(), addr) {
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
func (g *Gateway) homesWithoutTarget(
	_ context.Context,
	p *rounds.Current,
	all []store.Prepared,
) (*store.Outcome, error) {
	learnAcknowledged(&g.table, all)
	o := &store.Outcome{}
	for _, q := range heldFor(p).homes.queues { // the shift stays: answers to sends of before are translated by it
		o.Homes = append(o.Homes, store.Home{
			Topic:  q.Topic,
			Broker: q.Broker,
			Queue:  q.ID,
			Home:   routing.Source.String(),
			Shift:  q.Shift(),
		})
		o.Lanes = append(o.Lanes, *q.Lane())
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
		if v.Reads() == routing.Target {
			r.Queues = append(r.Queues, v.Queue.Name())
		}
	}
	return g.lead(ctx, r, g.viewsWithoutTarget)
}

// viewsWithoutTarget finds for each queue where a group goes on at the source.
func (g *Gateway) viewsWithoutTarget(
	ctx context.Context, p *rounds.Current, prepared []store.Prepared,
) (*store.Outcome, error) {
	l, err := g.sides.Lanes()
	if err != nil {
		return nil, err
	}
	one, known := g.table.Groups.Get([]byte(p.Round().Group)), furthest(prepared)
	names := slices.SortedFunc(maps.Keys(known), control.CompareQueues)
	o := &store.Outcome{Views: make([]store.View, len(names))}
	broadcasts := g.clients.membersHere()[one.Name]
	var all errgroup.Group
	all.SetLimit(replicas.ProvedTogether)
	for i, name := range names {
		v := one.Of(g.table.QueueFor(name.Topic, name.Broker, name.ID))
		if lane := v.Queue.Lane(); lane != nil {
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
	ctx context.Context, l replicas.Lanes, v *routing.View, next int64, broadcasts bool,
) (w store.View, err error) {
	w = viewAsIs(v)
	w.Side = routing.Source.String()
	first, end, err := l.SourceBounds(ctx, v.Queue)
	if err != nil {
		return w, fmt.Errorf("group %s: %w", v.Group, err)
	}
	if next < 0 && time.Since(g.serving) < askedAgain {
		return w, fmt.Errorf("group %s: where members are in queue %s isn't known yet, as the gateway "+
			"has just begun: try again", v.Group, v.Queue)
	}
	if broadcasts { // members keep their positions themselves: the one that is furthest must skip nothing
		if next >= 0 {
			w.Shift[routing.Source] = min(w.Shift[routing.Source], end-next)
		}
		return w, nil
	}
	position, known, err := l.Position(ctx, v.Queue, v.Group, routing.Source)
	if err != nil {
		return w, fmt.Errorf("group %s: %w", v.Group, err)
	}
	if at := min(position, end); !known || at < position {
		if position = at; !known {
			position = first
		}
		if err := l.Commit(ctx, v.Queue, v.Group, routing.Source, position); err != nil {
			return w, err
		}
	}
	if next >= 0 {
		w.Shift[routing.Source], w.Proved = position-next, next
	}
	return w, nil
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
