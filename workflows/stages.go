package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
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

// measure runs the Assess activity and shows its summary.
func (d *stageRun) measure(ctx workflow.Context) (api.Inventory, error) {
	var acts *activities.Assess
	var inventory api.Inventory
	err := workflow.ExecuteActivity(call.Quick(ctx, "inventory of the source"), acts.Assess, d.request()).
		Get(ctx, &inventory)
	d.status.Inventory = &inventory.Summary
	return inventory, err
}

// inventory is the parent's, or measured now when the stage was started alone.
func (d *stageRun) inventory(ctx workflow.Context, in api.MigrationInput) (api.Inventory, error) {
	if in.Inventory != nil {
		return *in.Inventory, nil
	}
	inventory, err := d.measure(ctx)
	if err != nil {
		return inventory, err
	}
	return inventory, refusal(inventory)
}

// mostSaid is how many findings an error names; the inventory has all of them.
const mostSaid = 20

func refusal(i api.Inventory) error {
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
		sayFindings(refusals, i.Summary.Refusals)
	return temporal.NewNonRetryableApplicationError(text, activities.RefusedType, nil)
}

// sayFindings says the first of so many findings, one on a line.
func sayFindings(findings []api.Finding, of int) (text string) {
	findings = findings[:min(mostSaid, len(findings))]
	for _, f := range findings {
		text += fmt.Sprintf("\n%s: %s; %s", f.Object, f.Cause, f.Next)
	}
	if rest := of - len(findings); rest > 0 {
		text += fmt.Sprintf("\nand %d more", rest)
	}
	return text
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

// ImportMetadata makes the topics and groups of the plan on the target: diff first, then chunks,
// each read back.
func ImportMetadata(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.ImportMetadataType, in)
	if err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		return d.step(ctx, func(ctx workflow.Context) error {
			inventory, err := d.inventory(ctx, in)
			if err != nil {
				return err
			}
			return d.importMetadata(ctx, activities.MetadataRequest{
				Request: d.request(), Inventory: &inventory,
				Topics: inventory.Topics(), Groups: inventory.Groups(),
			})
		})
	})
}

func (d *stageRun) importMetadata(ctx workflow.Context, all activities.MetadataRequest) error {
	var acts *activities.Metadata
	var diff api.MetadataDiff
	if err := workflow.ExecuteActivity(call.Quick(ctx, "compare metadata of both sides"), acts.Diff, all).Get(ctx, &diff); err != nil {
		return err
	}
	d.status.Metadata = &diff
	if diff.Conflicts.Len() > 0 {
		return conflict(diff.Conflicts)
	}
	done := activities.MetadataResult{}
	for _, part := range metadataChunks(all, diff) {
		var made activities.MetadataResult
		summary := fmt.Sprintf("make %d topics, %d groups", part.Topics.Len(), part.Groups.Len())
		if err := workflow.ExecuteActivity(call.Quick(ctx, summary), acts.Apply, part).Get(ctx, &made); err != nil {
			return err
		}
		done.CreatedTopics += made.CreatedTopics
		done.CreatedGroups += made.CreatedGroups
		d.detail(ctx, "created %d topics, %d groups", done.CreatedTopics, done.CreatedGroups)
	}
	d.detail(ctx, "created %d topics, %d groups; %d were there%s",
		done.CreatedTopics, done.CreatedGroups, diff.Same, configuredOtherwise(diff.Warnings))
	return nil
}

// metadataChunks splits what has to be made. Groups come first: a member that connects early then
// finds its group closed.
func metadataChunks(all activities.MetadataRequest, diff api.MetadataDiff) []activities.MetadataRequest {
	var parts []activities.MetadataRequest
	for _, groups := range diff.CreateGroups.Chunks(chunk) {
		part := all
		part.Topics, part.Groups = api.Names{}, groups
		parts = append(parts, part)
	}
	for _, topics := range diff.CreateTopics.Chunks(chunk) {
		part := all
		part.Topics, part.Groups = topics, api.Names{}
		parts = append(parts, part)
	}
	return parts
}

// configuredOtherwise says that brokers' settings differ: the target may have come after Assess
// told its findings.
func configuredOtherwise(warnings api.List[api.Finding]) string {
	if warnings.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("; %d warnings about brokers' settings, see status or the report",
		warnings.Len())
}

func conflict(findings api.List[api.Finding]) error {
	text := fmt.Sprintf("%d objects exist on the target with other settings; nothing was changed:",
		findings.Len()) + sayFindings(findings.First(), findings.Len())
	return temporal.NewNonRetryableApplicationError(text, activities.ConflictType, nil)
}
