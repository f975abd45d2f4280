package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
)

// Translate writes the groups' positions on the side that they will read next. Side is where they
// read until now; they are fenced there and have settled. It waits until the lanes hold everything
// below the positions, and until nobody who could overwrite them is connected on the other side.
func (t *Traffic) Translate(ctx context.Context, r GroupsRequest) (_ []consumers.Positions, err error) {
	defer explained(&err)
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return nil, err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	if r.Side != api.Source && r.Side != api.Target {
		return nil, fault.Invalid("side %q: choose source or target", r.Side)
	}
	var done []consumers.Positions
	err = poll(ctx, func() error {
		m, err := consumers.NewMover(ctx, both, r.Side)
		if err != nil {
			return err
		}
		done = nil
		for _, group := range groups {
			activity.RecordHeartbeat(ctx, "group "+group)
			written, err := m.Carry(ctx, group)
			if err != nil {
				return err
			}
			done = append(done, written)
		}
		return nil
	})
	return done[:min(len(done), fewOf(r.Request))], err
}

// Moved lists the groups that an earlier move opened on the target: fenced on every broker of the
// source, open on the target.
func (t *Traffic) Moved(ctx context.Context, r GroupsRequest) (_ []string, err error) {
	defer explained(&err)
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return nil, err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	return consumers.Moved(ctx, both, groups)
}

// AwaitMembers waits until every group has left From and is seen on the other side; when the
// pipeline reported it done, leaving is enough, as members behind a proxy aren't seen by brokers.
func (t *Traffic) AwaitMembers(
	ctx context.Context, r AwaitMoveRequest,
) (members []measure.Members, err error) {
	defer explained(&err)
	err = waiting{away: r.Away}.until(ctx, func() error {
		both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
		if err != nil {
			return err
		}
		groups, err := lists.Resolve(ctx, t.settings.Store, r.Groups)
		if err != nil {
			return err
		}
		if members, err = measure.CountMembers(ctx, both, groups, r.From); err != nil {
			return err
		}
		if open := measure.StillMoving(members, r.From, r.Released); len(open) > 0 {
			return fault.NotReady("%d of %d groups are still moving to the %s: %s", len(open), len(groups),
				r.From.Other(), printable.Few(open))
		}
		return nil
	})
	return members[:min(len(members), fewOf(r.Request))], err
}
