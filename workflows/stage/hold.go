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
func (run *Run) showHold(ctx workflow.Context, m api.Steering) {
	if run.Held != nil {
		run.HideHold()
	}
	run.Held = &m
	if !change.Made(ctx, change.HoldShown) {
		return
	}
	run.Status.Waiting = slices.Insert(slices.Clone(run.Status.Waiting), 0, api.Waiting{
		Kind: api.WaitingGate, Gate: api.ResumeName, Text: holdText(run.Held, ""),
		WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Since: workflow.Now(ctx),
	})
}

// HoldItself holds the migration where no person did. One who held it before stands in the reason:
// a resume lifts both.
func (run *Run) HoldItself(ctx workflow.Context, reason string) {
	if run.HoldIsShown() && change.Made(ctx, change.OneHold) {
		reason += "; " + holdText(run.Held, "")
		run.HideHold()
	}
	run.Held = &api.Steering{By: byRocketshift, Reason: reason}
}

// liftHold lets the next step go on.
func (run *Run) liftHold(ctx workflow.Context) {
	if change.Made(ctx, change.HoldShown) {
		run.HideHold()
	}
	run.Held = nil
}

// HideHold takes the hold off the page.
func (run *Run) HideHold() {
	run.Status.Waiting = slices.DeleteFunc(slices.Clone(run.Status.Waiting), run.isHold)
}

// HoldIsShown reports whether the hold stands on the page.
func (run *Run) HoldIsShown() bool { return slices.ContainsFunc(run.Status.Waiting, run.isHold) }

// isHold reports whether an entry is the hold that stands now.
func (run *Run) isHold(w api.Waiting) bool {
	return run.Held != nil && w.Kind == api.WaitingGate && w.Gate == api.ResumeName &&
		w.Text == holdText(run.Held, "")
}

// holdText says who or what holds a workflow.
func holdText(held *api.Steering, missing string) string {
	if held != nil {
		return fmt.Sprintf("held by %s: %s", held.By, message.OrNoReason(held.Reason))
	}
	return missing + ": nothing moves without it; it is started again by itself, at most an hour " +
		"later; resume tries at once, back returns everything to the source"
}

// ShowMissing shows what doesn't run that this workflow needs, here and to the stage that works
// now; an empty text says that everything does.
func (run *Run) ShowMissing(ctx workflow.Context, text string) {
	if run.toldMissing != nil {
		run.toldMissing()
	}
	run.missing, run.toldMissing = text, nil
	if text != "" {
		run.toldMissing = run.Wait(ctx,
			api.Waiting{Kind: api.WaitingGate, Gate: api.ResumeName, Text: holdText(nil, text)})
	}
	run.Publish(ctx)
	run.numbered = max(run.numbered+1, workflow.Now(ctx).UnixNano()) // greater after a reset too
	run.forwardMissing(ctx)
}

func (run *Run) forwardMissing(ctx workflow.Context) {
	_ = run.forward(ctx, message.MissingSignal, message.Missing{Text: run.missing, Number: run.numbered})
}

// TellWhatStands tells a stage that has begun what was said before it could hear of it.
func (run *Run) TellWhatStands(ctx workflow.Context) {
	if run.missing != "" {
		run.forwardMissing(ctx)
	}
	if run.Held == nil && run.Back == nil || !change.Made(ctx, change.Forward) {
		return
	}
	if run.Held != nil {
		_ = run.forward(ctx, api.HoldName, message.PassedOn(*run.Held))
	}
	if run.Back != nil {
		_ = run.forward(ctx, api.BackName, message.PassedOn(*run.Back))
	}
}
