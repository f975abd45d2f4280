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
	views []*routing.View,
	to routing.Side,
) (map[*routing.View]beforehand, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, oldTime, errors.New("bringing the group's positions took too long"))
	defer cancel()
	found := make([]beforehand, len(views))
	var all errgroup.Group
	all.SetLimit(provedTogether)
	for i, v := range views {
		if v.Reads() == to || v.Queue.Lane() == nil {
			continue
		}
		all.Go(func() (err error) {
			found[i], err = l.bring(ctx, v, to)
			return err
		})
	}
	err := all.Wait()
	known := map[*routing.View]beforehand{}
	for i, v := range views {
		known[v] = found[i]
	}
	return known, err
}

func (l lanes) bring(ctx context.Context, v *routing.View, to routing.Side) (a beforehand, err error) {
	if a.position, a.known, err = l.position(ctx, v.Queue, v.Group, to.Other()); err != nil || !a.known {
		return a, err
	}
	t, err := l.across(ctx, v.Queue, to.Other(), a.position)
	if errors.Is(err, positions.ErrNotCopiedYet) {
		return a, nil
	}
	if err == nil {
		err = l.commit(ctx, v.Queue, v.Group, to, t.Target)
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
		for _, one := range g.table.Groups.All() {
			for _, v := range one.All() {
				d, due := v.Due()
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

func (l lanes) keep(ctx context.Context, v *routing.View, d routing.Duty) {
	ctx, cancel := context.WithTimeout(ctx, keepPause)
	defer cancel()
	err := l.catchUp(ctx, v, d)
	if err == nil {
		var t positions.Translation
		if t, err = l.across(ctx, v.Queue, d.On, d.Position); err == nil {
			err = l.commit(ctx, v.Queue, v.Group, d.On.Other(), t.Target)
		}
	}
	v.PutBack(d, err)
}

// catchUp commits a position that went to the other side while the group moved.
func (l lanes) catchUp(ctx context.Context, v *routing.View, d routing.Duty) error {
	if !d.Owed {
		return nil
	}
	is, known, err := l.position(ctx, v.Queue, v.Group, d.On)
	if err != nil || known && is >= d.Position {
		return err
	}
	return l.commit(ctx, v.Queue, v.Group, d.On, d.Position)
}
