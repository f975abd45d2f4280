package checks

import (
	"context"
	"errors"
	"slices"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
)

// Members of a broadcasting group keep their positions themselves. One that is away during a move
// comes back with an older position than any that the move has looked at, and it must mean the same
// message then. It does where the shift has been the same since the first message that can still be
// read; where it hasn't, that is said before the group moves.

// OldPositionsHold refuses to move a broadcasting group to the target with queues where positions
// of before would mean another message afterwards. The way back is always open.
func (ck *Checks) OldPositionsHold(
	ctx context.Context,
	m control.Move,
	name string,
	views []*routing.View,
	to routing.Side,
	l replicas.Lanes,
) error {
	if to == routing.Source || !ck.host.MembersHere()[name] || slices.Contains(m.Accept, name) {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(
		ctx,
		replicas.OldTime,
		errors.New("looking for old positions took too long"),
	)
	defer cancel()
	for _, v := range views {
		from, next, known := v.Place()
		if from == to || !known {
			continue
		}
		first, err := l.First(ctx, v.Queue, from)
		if err != nil {
			return err
		}
		there, err := l.Exact(ctx, v.Queue, from, next)
		if err != nil {
			return err
		}
		old, err := l.Across(ctx, v.Queue, from, first)
		if err != nil {
			return err
		}
		if off := old.Target - first - (there - next); off != 0 || !old.Exact {
			return control.Refused(
				"group %s is broadcasting, and its members keep their positions themselves: one that is away "+
					"now, with a position between %d and %d of queue %s, "+
					"would read up to %d messages twice or not at all on the %s. Move it when all its "+
					"members are there and have read everything, and accept the group",
				name,
				first,
				next,
				v.Queue,
				max(off, -off, old.Repeats),
				to,
			)
		}
	}
	return nil
}
