package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
)

// chunk bounds what one metadata or verify activity handles: inputs stay far below Temporal's 2 MB,
// and a retry repeats little.
const chunk = 200

// Assess takes the inventory of the source and refuses what can't work, before anything is bought
// or written.
func Assess(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.AssessType, in)
	if err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		return d.step(ctx, func(ctx workflow.Context) error {
			inventory, err := d.measure(ctx)
			if err != nil {
				return err
			}
			d.status.Assessment = &inventory
			short := inventory.Summary
			d.detail(ctx, "%d topics, %d groups, %d findings", short.Topics, short.Groups, short.Findings.Len())
			return refusal(inventory)
		})
	})
}

// Purchase makes sure that the target runs, after an approval where the plan wants one. It is
// idempotent by the plan's name.
func Purchase(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.PurchaseType, in)
	if err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		if err := d.approvePurchase(ctx); err != nil {
			return err
		}
		return d.step(ctx, func(ctx workflow.Context) error {
			d.detail(ctx, "target %s is made ready", d.plan.Target.Provider)
			var acts *activities.Purchase
			var target activities.PurchaseResult
			err := workflow.ExecuteActivity(call.Minutes(ctx, "start or check the target"), acts.Purchase, d.request()).
				Get(ctx, &target)
			if err != nil {
				return err
			}
			d.status.Target = &target
			d.detail(ctx, "%s %s runs", target.Provider, target.Version)
			return nil
		})
	})
}

func (d *stageRun) approvePurchase(ctx workflow.Context) error {
	if !d.asks(plan.GatePurchase) {
		return nil
	}
	t := d.plan.Target
	return d.approve(ctx, func(workflow.Context) (question, error) {
		text := fmt.Sprintf("use target: provider %s %s", t.Provider, t.Version)
		return question{gate: string(plan.GatePurchase), text: text, evidence: t}, nil
	})
}
