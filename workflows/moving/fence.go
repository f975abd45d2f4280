package moving

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
)

// UnderFence runs a move of groups that are refused on both sides from its first step on, on some
// brokers at least. All steps share the plan's fence budget; when it is used up, the error says
// what hindered them. An activity learns of the end of its time by itself, so that none writes
// later.
func (m *Mover) UnderFence(ctx workflow.Context, actions []call.Action) error {
	limit := m.Plan.Shift.FenceLimit()
	end := workflow.Now(ctx).Add(limit)
	for i, a := range actions {
		if i == 0 && !change.Made(ctx, change.WholeFence) {
			if err := a.Run(call.Quick(ctx, a.Summary)); err != nil {
				return err
			}
			continue
		}
		left := end.Sub(workflow.Now(ctx))
		if left <= 0 {
			return overBudget(a, limit, "the steps before took all of it")
		}
		err := a.Run(call.Within(ctx, left, a.Summary))
		if err != nil && !temporal.IsCanceledError(err) && !call.IsAway(err) && !call.Lasts(err) {
			return overBudget(a, limit, call.RootMessage(err))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func overBudget(a call.Action, limit time.Duration, why string) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s: not done within the fence budget of %s: %s; "+
		"the groups are opened where they were: find the cause, then resume to try again, or go back",
		a.Summary, limit, why), call.FenceBudgetType, nil)
}

// UndoFence lets groups read the source again, whatever the target does, and then closes them on
// the target, where they don't read. What the target doesn't take now is owed: the mark on the
// source says so, and Rollback or the next move of the groups does it. Where applications were
// asked to move, some may be on the target, and messages may be to come from there: the mark stays.
func (m *Mover) UndoFence(ctx workflow.Context, names []string, asked bool) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var traffic *activities.Traffic
	var returns *activities.Returns
	groups := activities.GroupsRequest{
		Request: m.Request(), Side: api.Source, Ours: true,
		Groups: api.Some(names...),
	}
	onTarget := groups
	onTarget.Side = api.Target
	first := lists.Short(names)
	lift := call.New("undo 1: lift the fence on the source: "+first, traffic.Unfence, groups)
	if err := lift.Run(call.Quick(ctx, lift.Summary)); err != nil {
		m.Note(ctx, "undo: %s", call.RootMessage(err))
		return
	}
	m.Note(ctx, "fences on the source lifted: %s", first)
	m.lookForMissing(ctx)
	rest := []call.Action{
		call.New("undo 2: close on the target: "+first, traffic.Fence, onTarget),
		call.New("undo 3: nothing of these fences is left: "+first, returns.Forget, groups),
	}
	if asked && change.Made(ctx, change.ForgetLast) {
		rest = rest[:1]
	}
	for _, a := range rest {
		if err := a.Run(call.IfItAnswers(ctx, m.Plan.Shift.FenceLimit(), a.Summary)); err != nil {
			m.Note(ctx, "owed to the target: %s; Rollback or the next move of the groups does it: %s",
				a.Summary, call.RootMessage(err))
			return
		}
	}
}

// ForgetFences takes the marks of fences away.
func (m *Mover) ForgetFences(ctx workflow.Context, groups []string) error {
	var returns *activities.Returns
	request := activities.GroupsRequest{
		Request: m.Request(), Side: api.Target, Groups: api.Some(groups...),
	}
	forget := call.New("nothing of these fences is left: "+lists.Short(groups), returns.Forget, request)
	return forget.Run(call.Quick(ctx, forget.Summary))
}

// Patience is for how long an activity under a fence waits for a target that doesn't answer: it
// must say so itself before its own time-out.
func (m *Mover) Patience() time.Duration {
	return min(m.Plan.Shift.FenceLimit(), call.QuickTimeout/2)
}
