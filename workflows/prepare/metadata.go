package prepare

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
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
	done   activities.MetadataResult
	passed int // objects that chunks are done with
	total  int
	begun  time.Time
}

// lostPause is between two measurements of what the store has lost.
const lostPause = 10 * time.Second

// importAll imports what the inventory has. A document that the store has lost is measured anew.
func (i *importer) importAll(ctx workflow.Context, in api.MigrationInput) error {
	inventory, err := i.Inventory(ctx, in)
	for err == nil {
		if err = i.importFrom(ctx, inventory); !call.IsLost(err) {
			return err
		}
		i.Note(ctx, "measured anew: %s", call.RootMessage(err))
		if err = workflow.Sleep(ctx, lostPause); err == nil {
			inventory, err = i.Measure(ctx)
		}
	}
	return err
}

func (i *importer) importFrom(ctx workflow.Context, inventory api.Inventory) error {
	all := activities.MetadataRequest{
		Request: i.Request(), Inventory: &inventory,
		Topics: inventory.Topics(), Groups: inventory.Groups(),
	}
	var acts *activities.Metadata
	var diff api.MetadataDiff
	if err := workflow.ExecuteActivity(call.UntilLost(call.Quick(ctx, "compare metadata of both sides")),
		acts.Diff, all).Get(ctx, &diff); err != nil {
		return err
	}
	i.Status.Metadata = &diff
	if diff.Conflicts.Len() > 0 {
		return conflict(diff.Conflicts)
	}
	i.begun, i.total, i.passed = workflow.Now(ctx), objects(diff), 0
	for _, part := range metadataChunks(all, diff, size(ctx)) {
		if err := i.makePart(ctx, part); err != nil {
			return err
		}
	}
	if err := i.importUsers(ctx, &diff); err != nil {
		return err
	}
	i.Detail(ctx, "%s; %d were there%s", i.said(), diff.Same, otherwise(diff))
	return nil
}

// importUsers takes users along, if the plan says so: no plan said so before this was here. Their
// rights name topics and groups, which are there by then.
func (i *importer) importUsers(ctx workflow.Context, diff *api.MetadataDiff) error {
	if i.Request().Plan.Users == nil {
		return nil
	}
	var acts *activities.Metadata
	var made api.UsersImport
	if err := workflow.ExecuteActivity(call.Minutes(ctx, "take users along"), acts.ImportUsers,
		i.Request()).Get(ctx, &made); err != nil {
		return err
	}
	diff.Users = &made
	return nil
}

func (i *importer) makePart(ctx workflow.Context, part activities.MetadataRequest) error {
	var acts *activities.Metadata
	var made activities.MetadataResult
	summary := fmt.Sprintf("make %d topics, %d groups", part.Topics.Len(), part.Groups.Len())
	if part.KV {
		summary = "keys of name servers"
	}
	if err := workflow.ExecuteActivity(call.UntilLost(call.Quick(ctx, summary)), acts.Apply, part).Get(ctx,
		&made); err != nil {
		return err
	}
	i.done.CreatedTopics += made.CreatedTopics
	i.done.CreatedGroups += made.CreatedGroups
	i.done.ChangedTopics += made.ChangedTopics
	i.done.ChangedGroups += made.ChangedGroups
	i.done.KV += made.KV
	i.passed += part.Topics.Len() + part.Groups.Len()
	i.Detail(ctx, "%s%s", i.said(), i.left(ctx))
	return nil
}

// said is what is done so far.
func (i *importer) said() string {
	text := fmt.Sprintf("created %d topics, %d groups", i.done.CreatedTopics, i.done.CreatedGroups)
	if i.done.ChangedTopics+i.done.ChangedGroups > 0 {
		text += fmt.Sprintf("; changed %d topics, %d groups", i.done.ChangedTopics, i.done.ChangedGroups)
	}
	if i.done.KV > 0 {
		text += fmt.Sprintf("; %d keys of name servers", i.done.KV)
	}
	return text
}

// left says about how long the rest takes, at the speed so far.
func (i *importer) left(ctx workflow.Context) string {
	rest := i.total - i.passed
	if rest <= 0 || i.passed == 0 {
		return ""
	}
	gone := workflow.Now(ctx).Sub(i.begun)
	left := time.Duration(float64(gone) / float64(i.passed) * float64(rest)).Round(time.Second)
	return fmt.Sprintf("; %d of %d to go, about %s", rest, i.total, left)
}

func objects(diff api.MetadataDiff) int {
	return diff.CreateTopics.Len() + diff.CreateGroups.Len() + diff.ChangeTopics.Len() + diff.ChangeGroups.Len()
}

// largeChunk is how many topics or groups one activity makes: it reads all of both sides twice,
// which takes a second or two of clusters with 10,000 each, and ends well within its time where
// brokers take objects one by one.
const largeChunk = 1000

// size is how many one activity makes, in this run.
func size(ctx workflow.Context) int {
	if !change.Made(ctx, change.LargeChunks) {
		return chunk
	}
	return largeChunk
}

// metadataChunks splits what has to be made or changed. Groups come first: a member that connects
// early then finds its group closed.
func metadataChunks(
	all activities.MetadataRequest, diff api.MetadataDiff, size int,
) (parts []activities.MetadataRequest) {
	with := func(topics, groups api.Names, kv bool) {
		part := all
		part.Topics, part.Groups, part.KV = topics, groups, kv
		parts = append(parts, part)
	}
	for _, groups := range []api.Names{diff.CreateGroups, diff.ChangeGroups} {
		for _, some := range groups.Chunks(size) {
			with(api.Names{}, some, false)
		}
	}
	for _, topics := range []api.Names{diff.CreateTopics, diff.ChangeTopics} {
		for _, some := range topics.Chunks(size) {
			with(some, api.Names{}, false)
		}
	}
	if diff.KV > 0 { // order configurations of topics that are there already, too
		for _, some := range all.Topics.Chunks(size) {
			with(some, api.Names{}, true)
		}
	}
	return parts
}

// otherwise says what differs and stays so.
func otherwise(diff api.MetadataDiff) string {
	text := ""
	if n := diff.Kept.Len(); n > 0 {
		text = fmt.Sprintf("; %d differ and are kept, as the plan decides", n)
	}
	if u := diff.Users; u != nil {
		text += fmt.Sprintf("; %d users on %d brokers, %d rights differ", u.Users, u.Brokers, u.Differing)
		if n := u.Findings.Len(); n > 0 {
			text += fmt.Sprintf(", %d findings about users, see the report", n)
		}
	}
	return text + configuredOtherwise(diff.Warnings)
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
