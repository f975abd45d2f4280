package stage

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
func (d *Run) showHold(ctx workflow.Context, m api.Steering) {
	if d.Held != nil {
		d.HideHold()
	}
	d.Held = &m
	if !change.Made(ctx, change.HoldShown) {
		return
	}
	d.Status.Waiting = slices.Insert(slices.Clone(d.Status.Waiting), 0, api.Waiting{
		Kind: api.WaitingGate, Gate: api.ResumeName, Text: HoldText(d.Held, ""),
		WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Since: workflow.Now(ctx),
	})
}

// HoldItself holds the migration where no person did. One who held it before stands in the reason:
// a resume lifts both.
func (d *Run) HoldItself(ctx workflow.Context, reason string) {
	if d.HoldIsShown() && change.Made(ctx, change.OneHold) {
		reason += "; " + HoldText(d.Held, "")
		d.HideHold()
	}
	d.Held = &api.Steering{By: byRocketshift, Reason: reason}
}

// liftHold lets the next step go on.
func (d *Run) liftHold(ctx workflow.Context) {
	if change.Made(ctx, change.HoldShown) {
		d.HideHold()
	}
	d.Held = nil
}

// HideHold takes the hold off the page.
func (d *Run) HideHold() {
	d.Status.Waiting = slices.DeleteFunc(slices.Clone(d.Status.Waiting), d.isHold)
}

// HoldIsShown reports whether the hold stands on the page.
func (d *Run) HoldIsShown() bool { return slices.ContainsFunc(d.Status.Waiting, d.isHold) }

// isHold reports whether an entry is the hold that stands now.
func (d *Run) isHold(w api.Waiting) bool {
	return d.Held != nil && w.Kind == api.WaitingGate && w.Gate == api.ResumeName &&
		w.Text == HoldText(d.Held, "")
}

// HoldText says who or what holds a workflow.
func HoldText(held *api.Steering, missing string) string {
	if held != nil {
		return fmt.Sprintf("held by %s: %s", held.By, message.OrNoReason(held.Reason))
	}
	return missing + ": nothing moves without it; it is started again by itself, at most an hour " +
		"later; resume tries at once, back returns everything to the source"
}

// ShowMissing shows what doesn't run that this workflow needs, here and to the stage that works now;
// an empty text says that everything does.
func (d *Run) ShowMissing(ctx workflow.Context, text string) {
	if d.toldMissing != nil {
		d.toldMissing()
	}
	d.missing, d.toldMissing = text, nil
	if text != "" {
		d.toldMissing = d.Wait(ctx,
			api.Waiting{Kind: api.WaitingGate, Gate: api.ResumeName, Text: HoldText(nil, text)})
	}
	d.Publish(ctx)
	d.numbered = max(d.numbered+1, workflow.Now(ctx).UnixNano()) // greater after a reset too
	d.forwardMissing(ctx)
}

func (d *Run) forwardMissing(ctx workflow.Context) {
	_ = d.forward(ctx, message.MissingSignal, message.Missing{Text: d.missing, Number: d.numbered})
}

// TellWhatStands tells a stage that has begun what was said before it could hear of it.
func (d *Run) TellWhatStands(ctx workflow.Context) {
	if d.missing != "" {
		d.forwardMissing(ctx)
	}
	if d.Held == nil && d.Back == nil || !change.Made(ctx, change.Forward) {
		return
	}
	if d.Held != nil {
		_ = d.forward(ctx, api.HoldName, message.PassedOn(*d.Held))
	}
	if d.Back != nil {
		_ = d.forward(ctx, api.BackName, message.PassedOn(*d.Back))
	}
}
