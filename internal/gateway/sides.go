package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/rocketmq"
)

// viewsOf are a group's views of all queues that it reads: of those that were asked for here, and of those that it has positions on.
func (g *Gateway) viewsOf(ctx context.Context, name string) ([]*view, error) {
	one := g.groups.get([]byte(name))
	topics := map[string]bool{rocketmq.RetryTopic(name): true}
	for _, v := range one.all() {
		topics[v.topic] = true
	}
	brokers, err := g.source.Brokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	for _, b := range brokers {
		positions, err := g.source.Client().AllOffsets(ctx, b.Addr)
		if err != nil {
			return nil, fmt.Errorf("positions on source broker %s: %w", b.Name, err)
		}
		for of := range positions {
			if of.Group == name {
				topics[of.Topic] = true
			}
		}
	}
	var all []*view
	for _, topic := range sortedKeys(topics) {
		t := g.topics.get([]byte(topic))
		if t == nil {
			continue // it is no more, or it is the group's retry topic that no broker has made yet
		}
		if problem := t.reason(); problem != "" {
			return nil, fmt.Errorf("group %s: %s", name, problem)
		}
		for _, q := range t.all() {
			all = append(all, one.of(q))
		}
	}
	return all, nil
}

// moveGroup moves a group to a side, with all its queues or none. Its members' pulls wait meanwhile, for a few milliseconds.
func (g *Gateway) moveGroup(ctx context.Context, name string, to side, budget time.Duration) (done outcome, err error) {
	l, err := g.lanes()
	if err != nil {
		return done, err
	}
	if err := g.noneIsPast(ctx, name, to.other(), l); err != nil {
		return done, err
	}
	views, err := g.viewsOf(ctx, name)
	if err != nil {
		return done, err
	}
	queues := make([]*queue, len(views))
	for i, v := range views {
		queues[i] = v.queue
	}
	if err := g.readAhead(ctx, queues, to.other()); err != nil {
		return done, fmt.Errorf("group %s: %w", name, err)
	}
	begin := time.Now()
	defer func() { done.held = time.Since(begin) }()
	ctx, cancel := context.WithTimeoutCause(ctx, budget, errBudget)
	defer cancel()
	views, err = g.stopPulls(views, to)
	if err != nil {
		return done, err
	}
	var all errgroup.Group
	all.SetLimit(provedTogether)
	steps := make([]step, len(views))
	for i, v := range views {
		all.Go(func() (err error) {
			steps[i], err = l.step(ctx, v, to)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		goOn(views)
		return done, err
	}
	for i, v := range views {
		v.take(to, steps[i])
	}
	g.away.Add(away(to) * int64(len(views)))
	g.moves.epoch.Add(1)
	if err := g.save(); err != nil { // a restart begins where the group was: every message that it has read lies before its positions there
		g.log.Error("a group's side isn't on disk", "group", name, "cause", err)
	}
	goOn(views)
	done.moved = len(views)
	return done, nil
}

// stopPulls makes the pulls of views wait that are to move, and answers those that wait at brokers. It returns the views.
func (g *Gateway) stopPulls(views []*view, to side) ([]*view, error) {
	var moving []*view
	is := map[*view]bool{}
	for _, v := range views {
		v.mu.Lock()
		busy := v.moving
		if !busy && v.side != to {
			v.moving = true
			moving, is[v] = append(moving, v), true
		}
		v.mu.Unlock()
		if busy {
			goOn(moving)
			return nil, fmt.Errorf("group %s is being moved already", v.group)
		}
	}
	for _, s := range g.all() {
		for _, c := range s.takeAll(func(c call) bool { return is[c.view] && isPull(c.code) }) {
			s.pullAgain(c.opaque, c.binary, c.offset)
		}
	}
	return moving, nil
}

// goOn lets pulls go that waited.
func goOn(views []*view) {
	var waiting []parked
	for _, v := range views {
		v.mu.Lock()
		v.moving = false
		waiting = append(waiting, v.parked...)
		v.parked = nil
		v.mu.Unlock()
	}
	slices.SortStableFunc(waiting, func(a, b parked) int { return a.since.Compare(b.since) })
	for _, p := range waiting {
		p.session.release(p.raw)
	}
}

// step is where a view goes on, on the side that it moves to.
type step struct {
	next  int64 // the group's next offset, as the group counts
	there int64 // what that is on the new side
}

// step finds the place on the new side that is the same as the group's next offset, and commits the group's position there.
func (l lanes) step(ctx context.Context, v *view, to side) (step, error) {
	v.mu.Lock()
	from, next, kept, shift := v.side, v.next, v.kept, v.shift[v.side]
	v.mu.Unlock()
	committed, known := kept+shift, kept >= 0
	if !known {
		var err error
		if committed, known, err = l.position(ctx, v.queue, v.group, from); err != nil {
			return step{}, err
		}
	}
	native := next + shift
	switch {
	case next >= 0:
	case known:
		native = committed
	default: // nobody has read the queue: any place that is the same on both sides
		var err error
		if native, err = l.end(ctx, v.queue, from); err != nil {
			return step{}, err
		}
	}
	there, err := l.exact(ctx, v.queue, from, native)
	if err != nil {
		return step{}, fmt.Errorf("group %s: %w", v.group, err)
	}
	if known {
		t, err := l.across(ctx, v.queue, from, committed)
		if err != nil {
			return step{}, fmt.Errorf("group %s: %w", v.group, err)
		}
		if err := l.commit(ctx, v.queue, v.group, to, t.Target); err != nil {
			return step{}, err
		}
	}
	return step{native - shift, there}, nil
}

// take makes a view read from the other side.
func (v *view) take(to side, s step) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.side, v.shift[to], v.proved = to, s.there-s.next, s.next
}

// keepPause is how often positions are brought to the side that a group doesn't read.
const keepPause = 2 * time.Second

// keepPositions keeps the positions of groups that were moved on the side that they don't read, so that they can go back from anywhere, and find
// their place when they do without a gateway.
func (g *Gateway) keepPositions() {
	tick := time.NewTicker(keepPause)
	defer tick.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
		}
		l, err := g.lanes()
		if err != nil {
			continue
		}
		var all errgroup.Group
		all.SetLimit(provedTogether / 4)
		for _, one := range g.groups.all() {
			for _, v := range one.all() {
				all.Go(func() error {
					l.keep(g.ctx, v)
					return nil
				})
			}
		}
		_ = all.Wait()
	}
}

func (l lanes) keep(ctx context.Context, v *view) {
	ctx, cancel := context.WithTimeout(ctx, keepPause)
	defer cancel()
	v.mu.Lock()
	on, position := v.side, v.native(v.side, v.kept)
	due := v.dirty && !v.moving && v.kept >= 0 && (on == target || v.shift != [2]int64{})
	v.dirty = v.dirty && !due
	v.mu.Unlock()
	if !due {
		return
	}
	t, err := l.across(ctx, v.queue, on, position)
	if err == nil {
		err = l.commit(ctx, v.queue, v.group, on.other(), t.Target)
	}
	if err != nil { // it isn't copied yet, or the side is away
		v.mu.Lock()
		v.dirty = true
		v.mu.Unlock()
	}
}
