package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// errGaveWay ends moves that look at the target, which has just been seen not to answer.
var errGaveWay = errors.New("the target doesn't answer, and a move without it was asked for")

// way are the moves that may wait for the target.
type way struct {
	mu   sync.Mutex
	last int
	all  map[int]context.CancelCauseFunc
}

// enter makes a move one of them, until done is called.
func (w *way) enter(ctx context.Context) (entered context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[int]context.CancelCauseFunc{}
	}
	w.last++
	mine := w.last
	w.all[mine] = cancel
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, mine)
		cancel(nil)
	}
}

// clear ends them all: as when their budgets pass, everything is as it was.
func (w *way) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cancel := range w.all {
		cancel(errGaveWay)
	}
}

// turnOf waits until a move is the only one under way, until done is called. One without the target
// waits for none that may wait for the target.
func (g *Gateway) turnOf(
	ctx context.Context, m control.Move, to routing.Side,
) (its context.Context, done func(), err error) {
	if err := mayGoWithoutTarget(m, to); err != nil {
		return nil, nil, err
	}
	leave := func() {}
	if m.WithoutTarget {
		if err := g.targetIsAway(ctx); err != nil {
			return nil, nil, err
		}
		g.moves.way.clear()
	} else {
		ctx, leave = g.moves.way.enter(ctx)
	}
	g.moves.one.Lock()
	done = func() {
		g.moves.one.Unlock()
		leave()
	}
	if errors.Is(context.Cause(ctx), errGaveWay) {
		done()
		return nil, nil, control.Refused("%v", errGaveWay)
	}
	return ctx, done, nil
}

// check says where a move goes to and how long clients may wait for it, or why it is refused.
func checkMove(m control.Move) (to routing.Side, budget time.Duration, err error) {
	to, known := routing.SideOf(m.To)
	if budget = time.Duration(m.Budget); budget == 0 {
		budget = control.UsualBudget
	}
	switch {
	case m.ID == "":
		return to, budget, control.Refused("a move needs an id")
	case len(m.ID) > longestID:
		return to, budget, control.Refused("a move's id has %d bytes, at most %d are possible", len(m.ID), longestID)
	case !known:
		return to, budget, control.Refused("to is %q: source or target is possible", m.To)
	case budget < 0 || budget > control.MostBudget:
		return to, budget, control.Refused("a budget of %s: at most %s is possible, as clients give up sends after 3 s",
			budget, control.MostBudget)
	}
	return to, budget, nil
}

// viewsReadAhead are the views of a group that move to a side. What will be read to prove them is
// read before anything waits.
func (g *Gateway) viewsReadAhead(ctx context.Context, group string, to routing.Side) ([]*routing.View, error) {
	views, err := g.viewsOf(ctx, group, to)
	if err != nil {
		return nil, err
	}
	queues := make([]*routing.Queue, 0, len(views))
	for _, v := range views {
		queues = append(queues, v.Queue)
	}
	if err := g.sides.ReadAhead(ctx, queues, to.Other()); err != nil {
		return nil, fmt.Errorf("group %s: %w", group, err)
	}
	return views, nil
}

// moveGroup moves a group to a side, with all its queues or none. Its members' pulls wait
// meanwhile, for a few milliseconds.
func (g *Gateway) moveGroup(
	ctx context.Context,
	m control.Move,
	r store.Round,
	to routing.Side,
) (done outcome, err error) {
	if r.WithoutTarget {
		return g.groupWithoutTarget(ctx, r)
	}
	l, err := g.sides.Lanes()
	if err != nil {
		return done, err
	}
	unfit, err := g.allFit(r)
	if err != nil {
		return done, err
	}
	passing, err := g.checks.NoneIsPast(ctx, r.Group, to.Other(), l, m.Accept)
	if err != nil {
		return done, err
	}
	inexact := append(unfit, passing...)
	if unseen := g.table.Unseen(r.Group, to); unseen != "" {
		inexact = append(inexact, unseen)
	}
	untaken, err := g.tryGroup(ctx, r.Group, to, m.Accept)
	if err != nil {
		return done, err
	}
	inexact = append(inexact, untaken...)
	if r.Ends != nil {
		r.Ends.Inexact = append(r.Ends.Inexact, inexact...)
	}
	if err := l.KnownOnTarget(ctx, r.Group, to, func() { g.clients.registry.remirror(r.Group) }); err != nil {
		return done, err
	}
	views, err := g.viewsReadAhead(ctx, r.Group, to)
	if err != nil {
		return done, err
	}
	for _, v := range views {
		r.Queues = append(r.Queues, v.Queue.Name())
	}
	if err := g.checks.OldPositionsHold(ctx, m, r.Group, views, to, l); err != nil {
		return done, err
	}
	brought, err := l.BringAhead(ctx, views, to)
	if err != nil {
		return done, fmt.Errorf("group %s: %w", r.Group, err)
	}
	prove := func(ctx context.Context, p *rounds.Current, all []store.Prepared) (*store.Outcome, error) {
		return g.proveViews(ctx, p, all, brought)
	}
	done, err = g.lead(ctx, r, prove)
	done.inexact = inexact
	if err == nil {
		err = g.stays(ctx, m, r, l)
	}
	return done, err
}
