package stage

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
)

// A move that is cut off opens the source for groups that were asked to move, and closes the target
// to them, as most of their members may be on the source. Releases that are under way bring
// applications to the closed target all the same: whoever looks has to know.

// LeftText says what becomes of applications that are on their way.
func LeftText(groups []string) string {
	return fmt.Sprintf(
		"applications of %s were asked to move, and their groups read the source again: those that are on "+
			"their way to the target get no messages there until the move goes on (resume, where it is held) "+
			"or everything "+
			"returns to the source (back): stop their releases, or re-point them to the source",
		lists.Short(groups),
	)
}

// ShowLeft puts on the page what a migration that is started anew has found.
func (run *Run) ShowLeft(ctx workflow.Context) {
	if len(run.Status.LeftAsked) == 0 {
		return
	}
	run.hideLeft = run.Wait(ctx, api.Waiting{
		Kind: api.WaitingGate, Gate: api.BackName, Text: LeftText(run.Status.LeftAsked),
	})
}

// KeepLeft keeps on the page what a stage left asked that is tried again: it may ask for its step
// again first, which takes days.
func (run *Run) KeepLeft(ctx workflow.Context, groups []string) {
	if len(groups) == 0 || !change.Made(ctx, change.LeftKept) {
		return
	}
	if run.hideLeft != nil {
		run.hideLeft()
	}
	run.Status.LeftAsked = groups
	run.ShowLeft(ctx)
}

// DropLeft is for when a Shift moves them on, or everything goes back.
func (run *Run) DropLeft() {
	run.Status.LeftAsked = nil
	run.Children.Edit(func(r *api.Status) { r.LeftAsked = nil })
	if run.hideLeft != nil {
		run.hideLeft()
		run.hideLeft = nil
	}
}

// hearLeft drops them when a Shift asks for their applications again, or has moved them.
func (run *Run) hearLeft(s api.Status) {
	if len(run.Status.LeftAsked) == 0 {
		return
	}
	left := run.Status.LeftAsked[0] // all are of one batch, or of what one migration left
	asked := slices.ContainsFunc(s.Waiting, func(w api.Waiting) bool {
		groups, _ := w.Groups.Inline()
		return w.Kind == api.WaitingRelease && w.To == api.Target && slices.Contains(groups, left)
	})
	moved := len(s.Waves) > 0 && !slices.ContainsFunc(s.Waves, func(w api.WaveStatus) bool {
		return w.State == api.StagePending || w.State == api.WaveGroups
	})
	if asked || moved || slices.Contains(s.Moved.Groups, left) {
		run.DropLeft()
	}
}
