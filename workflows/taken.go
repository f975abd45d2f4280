package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/change"
)

// checkTaken says why a message means nothing to this type of workflow, or nil. Replicate and
// SyncOffsets are steered by their migration: a hold would do nothing there, and back would stop
// the lanes.
func (d *stageRun) checkTaken(name string) error {
	switch d.status.Type {
	case api.ReplicateType:
		return fmt.Errorf(
			"%s: Replicate takes only answer, setRate and stop: say it to the migration: rocketshift %s %s",
			name, name, d.status.Name,
		)
	case api.SyncOffsetsType:
		return fmt.Errorf("%s: SyncOffsets takes only stop: say it to the migration: rocketshift %s %s", name,
			name, d.status.Name)
	}
	return nil
}

// checkID refuses a workflow under another id than its migration's name and its type make: fixed
// ids keep a stage from running twice at a time, and every command that is shown uses them.
func (d *stageRun) checkID(ctx workflow.Context) error {
	id, want := workflow.GetInfo(ctx).WorkflowExecution.ID, api.StageID(d.plan, d.status.Type)
	if id == want || !change.Made(ctx, change.IDs) {
		return nil
	}
	return temporal.NewNonRetryableApplicationError(
		fmt.Sprintf("workflow id %q: start %s of plan %s with the id %q, which keeps it from "+
			"running twice at a time", id, d.status.Type, d.plan.Name, want),
		activities.InvalidType,
		nil,
	)
}

// longestWords is how many bytes a name or a reason has at most: a paragraph. It stands in the
// status of the stage and of the migration, and in every report of it.
const longestWords = 1000

// checkWords refuses words that are no name and no reason.
func checkWords(message string, words ...string) error {
	for _, text := range words {
		if len(text) > longestWords {
			return fmt.Errorf("%s: a text of it has %d bytes, at most are %d: put the rest where the text can point to",
				message, len(text), longestWords)
		}
	}
	return nil
}

func (d *stageRun) checkApproval(a api.Approval, now time.Time) error {
	if err := d.checkTaken(api.ApproveName); err != nil {
		return err
	}
	if err := checkWords(api.ApproveName, a.By, a.Reason); err != nil {
		return err
	}
	s := d.view()
	if w, asked := waitingApproval(s, a.Gate); asked {
		if given, before := d.given[questionOf(w)]; before {
			return fmt.Errorf("approve %q: it was approved by %s at %s already; an approval is used once",
				a.Gate, given.By, given.At.UTC().Format(time.RFC3339))
		}
	}
	return checkApproval(s, a, now)
}

func (d *stageRun) checkSteering(name string, m api.Steering) error {
	if err := d.checkTaken(name); err != nil {
		return err
	}
	if err := checkWords(name, m.By, m.Reason); err != nil {
		return err
	}
	s := d.steerable()
	if name == api.ResumeName && s.State != api.StateHeld && d.stageIsHeld() {
		s.State = api.StateHeld // it is passed on
	}
	return checkSteering(name, s, m)
}

func (d *stageRun) checkReleased(r api.Released) error {
	if err := d.checkTaken(api.ReleasedName); err != nil {
		return err
	}
	if err := checkWords(api.ReleasedName, r.By); err != nil {
		return err
	}
	return checkReleased(d.view(), r)
}

// stageIsHeld reports whether the stage that runs is held by itself.
func (d *stageRun) stageIsHeld() bool {
	return slices.ContainsFunc(d.view().Waiting, func(w api.Waiting) bool {
		return w.Gate == api.ResumeName && w.WorkflowID == d.active
	})
}
