package stage

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/change"
	"rocketshift/workflows/message"
)

// checkTaken says why a message means nothing to this type of workflow, or nil. Replicate and
// SyncOffsets are steered by their migration: a hold would do nothing there, and back would stop
// the lanes.
func (run *Run) checkTaken(name string) error {
	switch run.Status.Type {
	case api.ReplicateType:
		return fmt.Errorf(
			"%s: Replicate takes only answer, setRate and stop: say it to the migration: rocketshift %s %s",
			name, name, run.Status.Name,
		)
	case api.SyncOffsetsType:
		return fmt.Errorf("%s: SyncOffsets takes only stop: say it to the migration: rocketshift %s %s", name,
			name, run.Status.Name)
	}
	return nil
}

// checkID refuses a workflow under another id than its migration's name and its type make: fixed
// ids keep a stage from running twice at a time, and every command that is shown uses them.
func (run *Run) checkID(ctx workflow.Context) error {
	id, want := workflow.GetInfo(ctx).WorkflowExecution.ID, api.StageID(run.Plan, run.Status.Type)
	if id == want || !change.Made(ctx, change.IDs) {
		return nil
	}
	return temporal.NewNonRetryableApplicationError(
		fmt.Sprintf("workflow id %q: start %s of plan %s with the id %q, which keeps it from "+
			"running twice at a time", id, run.Status.Type, run.Plan.Name, want),
		activities.InvalidType,
		nil,
	)
}

// CheckApproval says why an approval can't be taken, or nil. now is the workflow's time.
func (run *Run) CheckApproval(a api.Approval, now time.Time) error {
	if err := run.checkTaken(api.ApproveName); err != nil {
		return err
	}
	if err := message.CheckWords(api.ApproveName, a.By, a.Reason); err != nil {
		return err
	}
	s := run.View()
	if w, asked := message.WaitingApproval(s, a.Gate); asked {
		if given, before := run.approvals.given[message.QuestionOf(w)]; before {
			return fmt.Errorf("approve %q: it was approved by %s at %s already; an approval is used once",
				a.Gate, given.By, given.At.UTC().Format(time.RFC3339))
		}
	}
	return message.CheckApproval(s, a, now)
}

func (run *Run) checkSteering(name string, m api.Steering) error {
	if err := run.checkTaken(name); err != nil {
		return err
	}
	if err := message.CheckWords(name, m.By, m.Reason); err != nil {
		return err
	}
	s := run.steerable()
	if name == api.ResumeName && s.State != api.StateHeld && run.stageIsHeld() {
		s.State = api.StateHeld // it is passed on
	}
	return message.CheckSteering(name, s, m)
}

func (run *Run) checkReleased(r api.Released) error {
	if err := run.checkTaken(api.ReleasedName); err != nil {
		return err
	}
	if err := message.CheckWords(api.ReleasedName, r.By); err != nil {
		return err
	}
	return message.CheckReleased(run.View(), r)
}

// stageIsHeld reports whether the stage that runs is held by itself.
func (run *Run) stageIsHeld() bool {
	return slices.ContainsFunc(run.View().Waiting, func(w api.Waiting) bool {
		return w.Gate == api.ResumeName && w.WorkflowID == run.Active
	})
}
