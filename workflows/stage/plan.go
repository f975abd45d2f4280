package stage

import (
	"encoding/json"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// usePlan says by which plan the workflow works: its parent's, which is checked, or one that is
// still to be checked.
func (run *Run) usePlan(ctx workflow.Context, in api.MigrationInput) {
	if !change.Made(ctx, change.Plan) {
		run.Plan, run.Status.PlanHash = planBefore(in.Plan)
		return
	}
	run.Plan, run.Status.PlanHash = in.Plan, in.PlanHash
	if run.Parent == nil || in.PlanHash == "" || !in.Read {
		run.unchecked, run.Status.PlanHash = in.Given, ""
		if in.Given == nil {
			run.unchecked = json.RawMessage("null")
		}
	}
}

// checkPlan has the plan judged and completed by an activity, whose answer stays on record.
func (run *Run) checkPlan(ctx workflow.Context) error {
	if run.unchecked == nil {
		return nil
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx) // a cancelled migration needs it to go back
	defer cancel()
	var acts *activities.Plans
	var checked activities.CheckedPlan
	request := activities.PlanRequest{Plan: run.unchecked}
	if err := workflow.ExecuteActivity(call.Quick(ctx, "check the plan, write its defaults out"),
		acts.CheckPlan, request).Get(ctx, &checked); err != nil {
		return err
	}
	if checked.Refused != "" {
		return temporal.NewNonRetryableApplicationError(checked.Refused, activities.InvalidType, nil)
	}
	run.Plan, run.Status.PlanHash = checked.Plan, checked.Hash
	return nil
}
