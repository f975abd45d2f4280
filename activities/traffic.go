package activities

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// Traffic moves groups and producers without a gateway: brokers close what must not be read or
// written, and the release pipeline re-points applications.
type Traffic struct{ settings Settings }

// NewTraffic returns the activities of Shift.
func NewTraffic(s Settings) *Traffic { return &Traffic{s.withDefaults()} }

// Fence closes groups on every broker of a side: pulls are refused from now on, positions can still
// be committed.
func (t *Traffic) Fence(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	return t.open(ctx, r, false)
}

// Unfence opens groups on every broker of a side. It doesn't wait for one that is down to open them
// on the others; then its error is about that one.
func (t *Traffic) Unfence(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	return t.open(ctx, r, true)
}

// open sets and reads back whether groups may consume. Only what differs is written, with all other
// settings as they are.
func (t *Traffic) open(ctx context.Context, r GroupsRequest, enable bool) error {
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	// which opens and closes no group: only the gateway leads anybody there before the end phase
	if err != nil || c.Proxy() != "" {
		return err
	}
	return consumers.Open(ctx, consumers.Opening{
		One: c, Plan: r.Plan.WithDefaults(), Enable: enable, Ours: r.Ours,
	}, brokers, groups)
}

// CloseTopics makes topics read-only on a side: stock producers find no queue to write to, lanes
// still write.
func (t *Traffic) CloseTopics(ctx context.Context, r TopicsRequest) (err error) {
	defer explained(&err)
	if err := t.hideOrder(ctx, r); err != nil {
		return err
	}
	return t.permit(ctx, r, func(perm int) int { return perm &^ rocketmq.PermWrite })
}

// OpenTopics makes topics writable on a side.
func (t *Traffic) OpenTopics(ctx context.Context, r TopicsRequest) (err error) {
	defer explained(&err)
	if err := t.permit(ctx, r, func(perm int) int { return perm | rocketmq.PermRead | rocketmq.PermWrite }); err != nil {
		return err
	}
	return t.showOrder(ctx, r)
}

// showOrder brings over the order configurations of topics that are open on the target now.
func (t *Traffic) showOrder(ctx context.Context, r TopicsRequest) error {
	if r.Side != api.Target {
		return nil
	}
	topics, err := t.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return err
	}
	return metadata.ShowOrder(ctx, both, topics)
}

// hideOrder takes them away before the topics are closed there.
func (t *Traffic) hideOrder(ctx context.Context, r TopicsRequest) error {
	if r.Side != api.Target {
		return nil
	}
	topics, err := t.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return err
	}
	c, _, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil {
		return err
	}
	return metadata.HideOrder(ctx, c, r.Plan.Target.Topic, topics)
}

// permit changes and reads back the permission of topics. Only what differs is written; attributes
// stay as they are.
func (t *Traffic) permit(ctx context.Context, r TopicsRequest, change func(int) int) error {
	topics, err := t.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil || c.Proxy() != "" { // which opens and closes no topic
		return err
	}
	return metadata.Permit(ctx, c, brokers, topics, change)
}

// groups are those of the request, without the ones that are left alone.
func (s Settings) groups(ctx context.Context, r GroupsRequest) ([]string, error) {
	groups, err := s.names(ctx, r.Request, r.Groups)
	if err != nil || len(r.But) == 0 {
		return groups, err
	}
	but := map[string]bool{}
	for _, name := range r.But {
		but[name] = true
	}
	return slices.DeleteFunc(slices.Clone(groups), func(name string) bool { return but[name] }), nil
}

// among are the names that are in the other list too.
func among(names, others []string) []string {
	there := map[string]bool{}
	for _, name := range others {
		there[name] = true
	}
	return slices.DeleteFunc(names, func(name string) bool { return !there[name] })
}

// fewOf is how many rows of a result are told that only people read.
func fewOf(r Request) int {
	if r.Bounded {
		return 20 // as many as a page of the Web UI shows
	}
	return math.MaxInt
}

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

// AwaitSettled waits until nothing that members of fenced groups have in work can move a position
// any more. Members that say what they hold (request 307) are believed when they hold nothing; what
// they have finished and not committed yet is committed for them, as clients take up to five
// seconds for it and their applications stand still meanwhile. Where a member doesn't answer, or
// none is connected, the positions must stand still for the plan's settle time, which is longer
// than that.
func (t *Traffic) AwaitSettled(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil {
		return err
	}
	settle := time.Duration(r.Plan.WithDefaults().Shift.Settle)
	seen := resumedStabilities(ctx)
	return poll(ctx, func() error {
		open, err := consumers.Unsettled(ctx, c, brokers, groups, seen, settle)
		if err != nil {
			return err
		}
		activity.RecordHeartbeat(ctx, maps.Clone(seen)) // the worker repeats it beside the next look
		if len(open) > 0 {
			return fault.NotReady("%d of %d groups haven't settled: %s", len(open), len(groups), printable.Few(open))
		}
		return nil
	})
}

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
		groups, err := t.settings.names(ctx, r.Request, r.Groups)
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
