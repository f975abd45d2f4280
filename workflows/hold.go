package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/change"
	"rocketshift/workflows/message"
)

// byRocketshift is who holds a migration where no person did.
const byRocketshift = "rocketshift"

// showHold puts a person's hold in front of all that is waited for, as soon as it is said: at a
// gate too, where an approval alone would move nothing. What is held already is held by who said
// it last.
func (d *stageRun) showHold(ctx workflow.Context, m api.Steering) {
	if d.held != nil {
		d.hideHold()
	}
	d.held = &m
	if !change.Made(ctx, change.HoldShown) {
		return
	}
	d.status.Waiting = slices.Insert(slices.Clone(d.status.Waiting), 0, api.Waiting{
		Kind: api.WaitingGate, Gate: api.ResumeName, Text: holdText(d.held, ""),
		WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Since: workflow.Now(ctx),
	})
}

// holdItself holds the migration where no person did. One who held it before stands in the reason:
// a resume lifts both.
func (d *stageRun) holdItself(ctx workflow.Context, reason string) {
	if d.holdIsShown() && change.Made(ctx, change.OneHold) {
		reason += "; " + holdText(d.held, "")
		d.hideHold()
	}
	d.held = &api.Steering{By: byRocketshift, Reason: reason}
}

// liftHold lets the next step go on.
func (d *stageRun) liftHold(ctx workflow.Context) {
	if change.Made(ctx, change.HoldShown) {
		d.hideHold()
	}
	d.held = nil
}

// hideHold takes the hold off the page.
func (d *stageRun) hideHold() {
	d.status.Waiting = slices.DeleteFunc(slices.Clone(d.status.Waiting), d.isHold)
}

// holdIsShown reports whether the hold stands on the page.
func (d *stageRun) holdIsShown() bool { return slices.ContainsFunc(d.status.Waiting, d.isHold) }

// isHold reports whether an entry is the hold that stands now.
func (d *stageRun) isHold(w api.Waiting) bool {
	return d.held != nil && w.Kind == api.WaitingGate && w.Gate == api.ResumeName &&
		w.Text == holdText(d.held, "")
}

func holdText(held *api.Steering, missing string) string {
	if held != nil {
		return fmt.Sprintf("held by %s: %s", held.By, message.OrNoReason(held.Reason))
	}
	return missing + ": nothing moves without it; it is started again by itself, at most an hour " +
		"later; resume tries at once, back returns everything to the source"
}
