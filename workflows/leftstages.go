package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/change"
)

// leftLook is the pause between two looks whether a stage of an earlier run has ended: its undo
// takes seconds.
const leftLook = 2 * time.Second

// endLeftStages cancels stages that move applications and that an earlier run of the migration
// left: its children go on after a reset, and for seconds after a termination. It waits until they
// have ended, and so have undone what they were at.
func (m *migration) endLeftStages(ctx workflow.Context) {
	left := []string{api.ShiftType, api.EndPhaseType, api.RollbackType}
	if change.Made(ctx, change.LeftFinalize) { // else somebody may retire a source that is used again
		left = append(left, api.FinalizeType)
	}
	for _, name := range left {
		id := api.StageID(m.Plan, name)
		for said := false; m.signalled(ctx, id); said = true {
			if !said {
				_ = workflow.RequestCancelExternalWorkflow(ctx, id, "").Get(ctx, nil)
				m.Note(ctx, "%s of an earlier run is cancelled, and its end is waited for", name)
				m.Publish(ctx)
			}
			timer := workflow.TimerOptions{Summary: name + " of an earlier run ends"}
			if err := workflow.NewTimerWithOptions(ctx, leftLook, timer).Get(ctx, nil); err != nil {
				return
			}
		}
	}
}

// stopLeftServices ends Replicate and SyncOffsets of an earlier run, where this one has come to its
// end before it took them over: nothing is on the target then that needs them.
func (m *migration) stopLeftServices(ctx workflow.Context) {
	if !change.Made(ctx, change.Stranded) {
		return
	}
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		id := api.StageID(m.Plan, name)
		if m.services.has(name) {
			continue // and so it has ended
		}
		for m.signalled(ctx, id) {
			m.Detail(ctx, "waits for the end of %s of an earlier run", name)
			timer := workflow.TimerOptions{Summary: name + " of an earlier run ends"}
			if err := workflow.NewTimerWithOptions(ctx, leftLook, timer).Get(ctx, nil); err != nil {
				return
			}
		}
	}
}

// signalled sends stop to a stage, and reports whether it runs. To Shift and the like it means
// nothing; it can't be sent to a stage that has ended, while a cancellation can.
func (m *migration) signalled(ctx workflow.Context, id string) bool {
	return workflow.SignalExternalWorkflow(ctx, id, "", api.StopName, struct{}{}).Get(ctx, nil) == nil
}
