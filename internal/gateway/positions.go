package gateway

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/positions"
)

// beforehand is what is known of a group's position on a queue before its pulls wait.
type beforehand struct {
	position int64 // committed on the side that it reads, a native one
	known    bool  // there is one
	brought  bool  // it is committed on the side that the group goes to, too
}

// bringAhead brings the group's positions to the side that it moves to while everything flows, as
// far as what lies before them is there. What is committed later is brought while its pulls wait.
func (g *Gateway) bringAhead(
	ctx context.Context,
	l lanes,
	views []*view,
	to routing.Side,
) (map[*view]beforehand, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, oldTime, errors.New("bringing the group's positions took too long"))
	defer cancel()
	found := make([]beforehand, len(views))
	var all errgroup.Group
	all.SetLimit(provedTogether)
	for i, v := range views {
		if v.reads() == to || v.queue.lane.Load() == nil {
			continue
		}
		all.Go(func() (err error) {
			found[i], err = l.bring(ctx, v, to)
			return err
		})
	}
	err := all.Wait()
	known := map[*view]beforehand{}
	for i, v := range views {
		known[v] = found[i]
	}
	return known, err
}

func (l lanes) bring(ctx context.Context, v *view, to routing.Side) (a beforehand, err error) {
	if a.position, a.known, err = l.position(ctx, v.queue, v.group, to.Other()); err != nil || !a.known {
		return a, err
	}
	t, err := l.across(ctx, v.queue, to.Other(), a.position)
	if errors.Is(err, positions.ErrNotCopiedYet) {
		return a, nil
	}
	if err == nil {
		err = l.commit(ctx, v.queue, v.group, to, t.Target)
	}
	a.brought = err == nil
	return a, err
}

// keepPause is how often positions are brought to the side that a group doesn't read.
const keepPause = 2 * time.Second

// keepPositions keeps the positions of groups that were moved on the side that they don't read, so
// that they can go back from anywhere, and find their place when they do without a gateway.
func (g *Gateway) keepPositions() {
	for sleep.For(g.ctx, keepPause) == nil {
		l, err := g.sides.lanes()
		if err != nil {
			continue
		}
		var all errgroup.Group
		all.SetLimit(provedTogether / 4)
		for _, one := range g.table.groups.all() {
			for _, v := range one.all() {
				d, due := v.due()
				if !due {
					continue
				}
				all.Go(func() error {
					l.keep(g.ctx, v, d)
					return nil
				})
			}
		}
		_ = all.Wait()
	}
}

func (l lanes) keep(ctx context.Context, v *view, d duty) {
	ctx, cancel := context.WithTimeout(ctx, keepPause)
	defer cancel()
	err := l.catchUp(ctx, v, d)
	if err == nil {
		var t positions.Translation
		if t, err = l.across(ctx, v.queue, d.on, d.position); err == nil {
			err = l.commit(ctx, v.queue, v.group, d.on.Other(), t.Target)
		}
	}
	v.putBack(d, err)
}

// duty is a position to be kept on both sides.
type duty struct {
	on       routing.Side // that the group reads
	kept     int64
	position int64 // the same, native to that side
	owed     bool  // it may have gone to the other side
}

// due takes what is to be done out of the view.
func (v *view) due() (d duty, due bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	due = v.dirty && !v.moving && v.kept >= 0 && (v.side == routing.Target || v.shift != [2]int64{} || v.owed)
	d = duty{v.side, v.kept, v.native(v.side, v.kept), due && v.owed}
	v.dirty, v.owed = v.dirty && !due, v.owed && !due
	return d, due
}

// putBack puts back what couldn't be done, as it isn't copied yet or a side is away. What was
// caught up with may have come behind the member's next commit, and then that one is owed.
func (v *view) putBack(d duty, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err != nil:
		v.dirty, v.owed = true, v.owed || d.owed
	case d.owed && v.kept != d.kept:
		v.dirty, v.owed = true, true
	}
}

// catchUp commits a position that went to the other side while the group moved.
func (l lanes) catchUp(ctx context.Context, v *view, d duty) error {
	if !d.owed {
		return nil
	}
	is, known, err := l.position(ctx, v.queue, v.group, d.on)
	if err != nil || known && is >= d.position {
		return err
	}
	return l.commit(ctx, v.queue, v.group, d.on, d.position)
}
