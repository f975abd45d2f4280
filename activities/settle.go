package activities

import (
	"context"
	"maps"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/printable"
)

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
