package activities

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
)

// A person may have closed a group of the source before the migration. So a fence of rocketshift
// carries a mark, which is written before the group is closed and outlives every workflow: Rollback
// opens what carries it, and nothing else.
//
// The mark of a group on a broker is a position of a consumer group of the migration's own, on
// queue 0 of the group's retry topic.

// ClosedByOthers lists the groups of the request that are closed on the source and were not closed
// by the migration: they stay closed. All others are about to be opened on the target: it fails
// with RefusedType if that doesn't serve what their live members ask for, before anything is
// fenced.
func (t *Traffic) ClosedByOthers(ctx context.Context, r GroupsRequest) (_ []string, err error) {
	defer explained(&err)
	r.Side = api.Source
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return nil, err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil {
		return nil, err
	}
	others, err := consumers.ClosedByOthers(ctx, c, r.Plan.WithDefaults(), brokers)
	if err != nil {
		return nil, err
	}
	closed := among(others, groups)
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(groups),
		func(name string) bool { return slices.Contains(closed, name) })
	return closed, consumers.Accepts(ctx, both, rest)
}

// Forget takes the marks away of groups that are open on the source and closed on the target again:
// nothing of them is ours any more.
func (b *Returns) Forget(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	groups, err := b.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return err
	}
	p := r.Plan.WithDefaults()
	return consumers.ForgetFences(ctx, c, p, brokers, groups)
}
