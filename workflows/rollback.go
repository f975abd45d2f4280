package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// Rollback returns producers and groups to the source, from whatever point a shift had reached: what has to be undone is read
// from the brokers, not from a memory of what was done.
//
// Producers go first. What they wrote on the target is on the source too, by the reverse lanes, so that groups follow as soon as their
// positions have exact counterparts there; of ordered topics they read on the target what was written there before. Then positions are
// translated back and the fences on the source are lifted. It ends when nothing is to come from the target any more: the lanes end with it.
func Rollback(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, RollbackType, in)
	if err != nil {
		return Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error { return d.rollBack(ctx, in) })
}

func (d *desk) rollBack(ctx workflow.Context, in MigrationInput) error {
	if d.plan.Traffic.Mode == plan.ModeGateway {
		return d.gatewayBack(ctx, in)
	}
	// Step 1: what is on the target?
	var acts *activities.Returns
	var survey activities.Survey
	if err := workflow.ExecuteActivity(quick(ctx, "what has moved"), acts.Survey, d.request()).Get(ctx, &survey); err != nil {
		return err
	}
	d.detail(ctx, "%d groups are fenced on the source, %d topics have messages of their own on the target",
		len(survey.FencedGroups), len(survey.MovedTopics))
	// Step 2: producers write on the source again.
	if len(survey.MovedTopics) > 0 {
		d.forgetReleased()
		if err := d.checkpoint(ctx); err != nil {
			return err
		}
		if err := d.awaitProducers(ctx, activities.Target, survey.MovedTopics, d.plan.Source.NameServers); err != nil {
			return err
		}
	}
	// Step 3: groups read on the source again, at the same message.
	if len(survey.FencedGroups) > 0 {
		if err := d.checkpoint(ctx); err != nil {
			return err
		}
		if err := d.returnGroups(ctx, survey.FencedGroups, in.freeTopics()); err != nil {
			return err
		}
	}
	// Step 4: what was sent to the target for later comes back too.
	if len(survey.MovedTopics)+len(survey.FencedGroups) > 0 {
		if err := d.awaitPending(ctx); err != nil {
			return err
		}
	}
	d.detail(ctx, "%d groups and the producers of %d topics are back on the source", len(survey.FencedGroups), len(survey.MovedTopics))
	return nil
}

// awaitPending waits until the target has delivered what it held for later, retries among it, and the reverse lanes have copied it. A person
// may accept what is left.
func (d *desk) awaitPending(ctx workflow.Context) error {
	for pause := ledgerFirst; ; pause = min(pause*2, ledgerMax) {
		var left activities.Ledger
		err := d.step(ctx, func(ctx workflow.Context) error {
			var acts *activities.Ledgers
			return workflow.ExecuteActivity(quick(ctx, "what is to come from the target"), acts.Pending, d.request()).Get(ctx, &left)
		})
		d.status.Ledger = &left
		if err != nil || left.Rest == 0 {
			return err
		}
		text := fmt.Sprintf("end the lanes although %d are still to come from the target: %s; approving leaves exactly this rest there", left.Rest, rests(left))
		if given, err := d.ask(ctx, question{gate: string(plan.GateFinalize), text: text, evidence: left.Rows, life: pause}); given || err != nil {
			return err
		}
	}
}

func (d *desk) returnGroups(ctx workflow.Context, groups, free []string) error {
	var returns *activities.Returns
	var traffic *activities.Traffic
	onTarget := activities.GroupsRequest{Request: d.request(), Side: activities.Target, Groups: groups}
	onSource := onTarget
	onSource.Side = activities.Source
	names := short(groups)
	for _, step := range []struct {
		summary  string
		activity any
		request  any
	}{
		{"1 positions are exact on the source: " + names, returns.AwaitReturnable, activities.ReturnRequest{GroupsRequest: onTarget, Free: free}},
		{"2 fence on the target: " + names, traffic.Fence, onTarget},
		{"3 positions stand still: " + names, traffic.AwaitSettled, onTarget},
		{"4 translate back and write: " + names, traffic.Translate, onTarget},
		{"5 lift the fence on the source: " + names, traffic.Unfence, onSource},
	} {
		d.detail(ctx, "%s", step.summary)
		if err := workflow.ExecuteActivity(quick(ctx, step.summary), step.activity, step.request).Get(ctx, nil); err != nil {
			return err
		}
	}
	return d.awaitGroups(ctx, activities.Target, groups, d.plan.Source.NameServers)
}
