package stage

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
)

// Measure runs the Assess activity and shows its summary.
func (run *Run) Measure(ctx workflow.Context) (api.Inventory, error) {
	var acts *activities.Assess
	var inventory api.Inventory
	err := workflow.ExecuteActivity(call.Quick(ctx, "inventory of the source"), acts.Assess, run.Request()).
		Get(ctx, &inventory)
	run.Status.Inventory = &inventory.Summary
	return inventory, err
}

// Inventory is the parent's, or measured now when the stage was started alone.
func (run *Run) Inventory(ctx workflow.Context, in api.MigrationInput) (api.Inventory, error) {
	if in.Inventory != nil {
		return *in.Inventory, nil
	}
	inventory, err := run.Measure(ctx)
	if err != nil {
		return inventory, err
	}
	return inventory, Refusal(inventory)
}

// mostSaid is how many findings an error names; the inventory has all of them.
const mostSaid = 20

// Refusal is the error for an inventory that can't be migrated as it is, or nil.
func Refusal(i api.Inventory) error {
	if i.Summary.Refusals == 0 {
		return nil
	}
	var refusals []api.Finding
	for _, f := range i.Summary.Findings.First() {
		if f.Refusal {
			refusals = append(refusals, f)
		}
	}
	text := fmt.Sprintf("refused, %d reasons:", i.Summary.Refusals) +
		SayFindings(refusals, i.Summary.Refusals)
	return temporal.NewNonRetryableApplicationError(text, activities.RefusedType, nil)
}

// SayFindings says the first of so many findings, one on a line.
func SayFindings(findings []api.Finding, of int) (text string) {
	findings = findings[:min(mostSaid, len(findings))]
	for _, f := range findings {
		text += fmt.Sprintf("\n%s: %s; %s", f.Object, f.Cause, f.Next)
	}
	if rest := of - len(findings); rest > 0 {
		text += fmt.Sprintf("\nand %d more", rest)
	}
	return text
}
