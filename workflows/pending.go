package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

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
