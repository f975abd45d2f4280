package prepare

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// ImportMetadata makes the topics and groups of the plan on the target: diff first, then chunks,
// each read back.
func ImportMetadata(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.ImportMetadataType, in)
	if err != nil {
		return api.Status{}, err
	}
	i := &importer{Run: run}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		return run.Step(ctx, func(ctx workflow.Context) error { return i.importAll(ctx, in) })
	})
}

// importer makes topics and groups on the target.
type importer struct {
	*stage.Run
	done activities.MetadataResult
}

func (i *importer) importAll(ctx workflow.Context, in api.MigrationInput) error {
	inventory, err := i.Inventory(ctx, in)
	if err != nil {
		return err
	}
	all := activities.MetadataRequest{
		Request: i.Request(), Inventory: &inventory,
		Topics: inventory.Topics(), Groups: inventory.Groups(),
	}
	var acts *activities.Metadata
	var diff api.MetadataDiff
	if err := workflow.ExecuteActivity(call.Quick(ctx, "compare metadata of both sides"), acts.Diff,
		all).Get(ctx, &diff); err != nil {
		return err
	}
	i.Status.Metadata = &diff
	if diff.Conflicts.Len() > 0 {
		return conflict(diff.Conflicts)
	}
	for _, part := range metadataChunks(all, diff) {
		if err := i.makePart(ctx, part); err != nil {
			return err
		}
	}
	i.Detail(ctx, "created %d topics, %d groups; %d were there%s",
		i.done.CreatedTopics, i.done.CreatedGroups, diff.Same, configuredOtherwise(diff.Warnings))
	return nil
}

func (i *importer) makePart(ctx workflow.Context, part activities.MetadataRequest) error {
	var acts *activities.Metadata
	var made activities.MetadataResult
	summary := fmt.Sprintf("make %d topics, %d groups", part.Topics.Len(), part.Groups.Len())
	if err := workflow.ExecuteActivity(call.Quick(ctx, summary), acts.Apply, part).Get(ctx,
		&made); err != nil {
		return err
	}
	i.done.CreatedTopics += made.CreatedTopics
	i.done.CreatedGroups += made.CreatedGroups
	i.Detail(ctx, "created %d topics, %d groups", i.done.CreatedTopics, i.done.CreatedGroups)
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
		findings.Len()) + stage.SayFindings(findings.First(), findings.Len())
	return temporal.NewNonRetryableApplicationError(text, activities.ConflictType, nil)
}
