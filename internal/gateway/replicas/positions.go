package replicas

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/positions"
)

// KeepPositions keeps the positions of groups that were moved on the side that they don't read, so
// that they can go back from anywhere, and find their place when they do without a gateway.
func (bs *Sides) KeepPositions(ctx context.Context, table *routing.Table) {
	for sleep.For(ctx, keepPause) == nil {
		l, err := bs.Lanes()
		if err != nil {
			continue
		}
		var all errgroup.Group
		all.SetLimit(ProvedTogether / 4)
		for _, one := range table.Groups.All() {
			for _, v := range one.All() {
				d, due := v.Due()
				if !due {
					continue
				}
				all.Go(func() error {
					l.keep(ctx, v, d)
					return nil
				})
			}
		}
		_ = all.Wait()
	}
}

func (l Lanes) keep(ctx context.Context, v *routing.View, d routing.Duty) {
	ctx, cancel := context.WithTimeout(ctx, keepPause)
	defer cancel()
	err := l.catchUp(ctx, v, d)
	if err == nil {
		var t positions.Translation
		if t, err = l.Across(ctx, v.Queue, d.On, d.Position); err == nil {
			err = l.Commit(ctx, v.Queue, v.Group, d.On.Other(), t.Target)
		}
	}
	v.PutBack(d, err)
}

// catchUp commits a position that went to the other side while the group moved.
func (l Lanes) catchUp(ctx context.Context, v *routing.View, d routing.Duty) error {
	if !d.Owed {
		return nil
	}
	is, known, err := l.Position(ctx, v.Queue, v.Group, d.On)
	if err != nil || known && is >= d.Position {
		return err
	}
	return l.Commit(ctx, v.Queue, v.Group, d.On, d.Position)
}

// keepPause is how often positions are brought to the side that a group doesn't read.
const keepPause = 2 * time.Second
