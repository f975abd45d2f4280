package stage

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/message"
)

// A migration hands an approval on to the stage that asks, by a signal. The stage judges it: what
// it shows may be newer than what its migration knows. So it says what became of the approval, and
// who approved is told.

// handedPatience is for how long somebody who approves waits for the stage's word, which comes
// within a second. A stage that is silent has ended, or its worker is away: then the approval is
// with it.
const handedPatience = 10 * time.Second

// handOn gives an approval to the stage that asks, and waits for its word.
func (run *Run) handOn(ctx workflow.Context, a api.Approval) error {
	run.approvals.handedOn++
	a.Number = run.approvals.handedOn
	child := run.Active
	if err := run.forward(ctx, api.ApproveName, a); err != nil || child == "" {
		return err
	}
	said := func() bool { _, ok := run.approvals.judged[a.Number]; return ok || run.Active != child }
	if _, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: handedPatience, TimerOptions: workflow.TimerOptions{
			Summary: "what the stage says to the approval of " + a.Gate,
		},
	}, said); err != nil {
		return err
	}
	refused := run.approvals.judged[a.Number]
	delete(run.approvals.judged, a.Number)
	if refused == "" {
		return nil
	}
	//workflowcheck:ignore
	for question, given := range run.approvals.given { // it may be answered again
		if given.Gate == a.Gate && given.At.Equal(a.At) {
			delete(run.approvals.given, question)
		}
	}
	return temporal.NewApplicationError(refused, activities.RefusedType)
}

// tellJudged tells the migration what became of an approval that it handed on. Nobody waits for it
// otherwise.
func (run *Run) tellJudged(ctx workflow.Context, a api.Approval, err error) {
	if run.Parent == nil || a.Number == 0 {
		return
	}
	word := message.Handed{Number: a.Number}
	if err != nil {
		word.Refused = fmt.Sprint(err)
	}
	workflow.SignalExternalWorkflow(ctx, run.Parent.ID, "", message.HandedSignal, word)
}
