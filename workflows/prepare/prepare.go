package prepare

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// chunk bounds what one metadata or verify activity handles: inputs stay far below Temporal's 2 MB,
// and a retry repeats little.
const chunk = 200

// Assess takes the inventory of the source and refuses what can't work, before anything is bought
// or written.
func Assess(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.AssessType, in)
	if err != nil {
		return api.Status{}, err
	}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		return run.Step(ctx, func(ctx workflow.Context) error {
			inventory, err := run.Measure(ctx)
			if err != nil {
				return err
			}
			run.Status.Assessment = &inventory
			short := inventory.Summary
			run.Detail(ctx, "%d topics, %d groups, %d findings", short.Topics, short.Groups, short.Findings.Len())
			return stage.Refusal(inventory)
		})
	})
}

// Purchase makes sure that the target runs, after an approval where the plan wants one. It is
// idempotent by the plan's name.
func Purchase(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.PurchaseType, in)
	if err != nil {
		return api.Status{}, err
	}
	p := &purchase{Run: run}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		if err := p.approve(ctx); err != nil {
			return err
		}
		return p.Step(ctx, p.makeReady)
	})
}

// purchase has a target.
type purchase struct {
	*stage.Run
}

func (p *purchase) makeReady(ctx workflow.Context) error {
	p.Detail(ctx, "target %s is made ready", p.Plan.Target.Provider)
	var acts *activities.Purchase
	var target activities.PurchaseResult
	if err := workflow.ExecuteActivity(call.Minutes(ctx, "start or check the target"), acts.Purchase,
		p.Request()).Get(ctx, &target); err != nil {
		return err
	}
	p.Status.Target = &target
	p.Detail(ctx, "%s %s runs", target.Provider, target.Version)
	return nil
}

func (p *purchase) approve(ctx workflow.Context) error {
	if !p.Asks(plan.GatePurchase) {
		return nil
	}
	t := p.Plan.Target
	if t.Provider == plan.ProviderAliyun {
		return p.Approve(ctx, p.offer)
	}
	return p.Approve(ctx, func(workflow.Context) (stage.Question, error) {
		text := fmt.Sprintf("use target: provider %s %s", t.Provider, t.Version)
		return stage.Question{Gate: string(plan.GatePurchase), Text: text, Evidence: t}, nil
	})
}

// offer is what is bought at the cloud, with its price.
type offer struct {
	plan.Target
	Price string `json:"price"`
}

func (p *purchase) offer(ctx workflow.Context) (stage.Question, error) {
	var acts *activities.Purchase
	var price string
	asking := workflow.ExecuteActivity(call.Quick(ctx, "ask for the price"), acts.Price, p.Request())
	if err := asking.Get(ctx, &price); err != nil {
		return stage.Question{}, err
	}
	t := p.Plan.Target
	text := fmt.Sprintf("buy at ApsaraMQ: %s; price: %s", t.Aliyun.Told(), price)
	return stage.Question{Gate: string(plan.GatePurchase), Text: text, Evidence: offer{t, price}}, nil
}
