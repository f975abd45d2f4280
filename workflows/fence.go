package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/change"
)

// action is one activity of a numbered sequence.
type action struct {
	summary  string
	activity any
	request  any
}

func (a action) run(ctx workflow.Context) error {
	return workflow.ExecuteActivity(ctx, a.activity, a.request).Get(ctx, nil)
}

// underFence runs a move of groups that are refused on both sides from its first step on, on some
// brokers at least. All steps share the plan's fence budget; when it is used up, the error says
// what hindered them. An activity learns of the end of its time by itself, so that none writes
// later.
func (d *stageRun) underFence(ctx workflow.Context, actions []action) error {
	limit := d.plan.Shift.FenceLimit()
	end := workflow.Now(ctx).Add(limit)
	for i, a := range actions {
		if i == 0 && !change.Made(ctx, change.WholeFence) {
			if err := a.run(quick(ctx, a.summary)); err != nil {
				return err
			}
			continue
		}
		left := end.Sub(workflow.Now(ctx))
		if left <= 0 {
			return overBudget(a, limit, "the steps before took all of it")
		}
		err := a.run(within(ctx, left, a.summary))
		if err != nil && !temporal.IsCanceledError(err) && !isAway(err) && !lasts(err) {
			return overBudget(a, limit, rootMessage(err))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func overBudget(a action, limit time.Duration, why string) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: not done within the fence budget of %s: %s; "+
		"the groups are opened where they were: find the cause, then resume to try again, or go back", a.summary, limit, why), "FenceBudget", nil)
}

// lasts reports whether an error would be the same at another try.
func lasts(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.NonRetryable()
}

// isAway reports whether work ended because the target doesn't answer, or refuses.
func isAway(err error) bool { return activities.FaultOf(err) == api.Target }

// awayText says so.
func awayText(err error) string {
	var app, cause *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == activities.AwayType && errors.As(app.Unwrap(), &cause) {
		app = cause // what it was away for
	}
	if app == nil || app.Type() == activities.AwayType ||
		app.Type() == activities.TargetUnreachableType {
		return "the target doesn't answer"
	}
	return app.Message()
}

// undoFence lets groups read the source again, whatever the target does, and then closes them on
// the target, where they don't read. What the target doesn't take now is owed: the mark on the
// source says so, and Rollback or the next move of the groups does it. Where applications were
// asked to move, some may be on the target, and messages may be to come from there: the mark stays.
func (d *stageRun) undoFence(ctx workflow.Context, names []string, asked bool) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var traffic *activities.Traffic
	var returns *activities.Returns
	groups := activities.GroupsRequest{
		Request: d.request(), Side: api.Source, Ours: true,
		Groups: api.Some(names...),
	}
	onTarget := groups
	onTarget.Side = api.Target
	first := short(names)
	lift := action{"undo 1: lift the fence on the source: " + first, traffic.Unfence, groups}
	if err := lift.run(quick(ctx, lift.summary)); err != nil {
		d.note(ctx, "undo: %s", rootMessage(err))
		return
	}
	d.note(ctx, "fences on the source lifted: %s", first)
	d.lookForMissing(ctx)
	rest := []action{
		{"undo 2: close on the target: " + first, traffic.Fence, onTarget},
		{"undo 3: nothing of these fences is left: " + first, returns.Forget, groups},
	}
	if asked && change.Made(ctx, change.ForgetLast) {
		rest = rest[:1]
	}
	for _, a := range rest {
		if err := a.run(ifItAnswers(ctx, d.plan.Shift.FenceLimit(), a.summary)); err != nil {
			d.note(ctx, "owed to the target: %s; Rollback or the next move of the groups does it: %s",
				a.summary, rootMessage(err))
			return
		}
	}
}
