package gateway

import (
	"context"
	"errors"
	"sync"
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
	ctx context.Context, m Move, to side,
) (its context.Context, done func(), err error) {
	if err := m.mayGoWithout(to); err != nil {
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
		return nil, nil, refused("%v", errGaveWay)
	}
	return ctx, done, nil
}
