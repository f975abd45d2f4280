package rollback

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/lists"
)

// releasesBack is the way back of runs that are older than change.HealthyFirst.
func (b *rollback) releasesBack(ctx workflow.Context) error {
	// Step 1: what is on the target?
	var acts *activities.Returns
	var survey activities.Survey
	request := activities.SurveyRequest{Request: b.Request()}
	if err := workflow.ExecuteActivity(call.Quick(ctx, "what has moved"), acts.Survey,
		request).Get(ctx, &survey); err != nil {
		return err
	}
	fenced, _ := survey.FencedGroups.Inline()
	b.Detail(ctx, "%d groups are fenced on the source, %d topics have messages of their own on the target",
		len(fenced), survey.MovedTopics.Len())
	// Step 2: producers write on the source again.
	if survey.MovedTopics.Len() > 0 {
		b.ForgetReleased()
		if err := b.Checkpoint(ctx); err != nil {
			return err
		}
		if err := b.AwaitProducers(ctx, api.Target, survey.MovedTopics, b.Plan.Source.NameServers, 0); err != nil {
			return err
		}
	}
	// Step 3: groups read on the source again, at the same message.
	if len(fenced) > 0 {
		if err := b.Checkpoint(ctx); err != nil {
			return err
		}
		if err := b.returnGroupsBefore(ctx, fenced, b.freeTopics()); err != nil {
			return err
		}
	}
	// Step 4: what was sent to the target for later comes back too.
	if survey.MovedTopics.Len()+len(fenced) > 0 {
		if err := b.awaitPending(ctx); err != nil {
			return err
		}
	}
	b.Detail(ctx, "%d groups and the producers of %d topics are back on the source", len(fenced),
		survey.MovedTopics.Len())
	return nil
}

// returnGroupsBefore is of runs that are older than change.HealthyFirst.
func (b *rollback) returnGroupsBefore(
	ctx workflow.Context, groups []string, free api.Names,
) error {
	var returns *activities.Returns
	var traffic *activities.Traffic
	onTarget := activities.GroupsRequest{Request: b.Request(), Side: api.Target, Groups: api.Some(groups...)}
	onSource := onTarget
	onSource.Side = api.Source
	names := lists.Short(groups)
	for _, step := range []call.Action{
		call.New("step 1: positions are exact on the source: "+names, returns.AwaitReturnable,
			activities.ReturnRequest{GroupsRequest: onTarget, Free: free}),
		call.New("step 2: fence on the target: "+names, traffic.Fence, onTarget),
		call.New("step 3: positions stand still: "+names, traffic.AwaitSettled, onTarget),
		call.New("step 4: translate back and write: "+names, traffic.Translate, onTarget),
		call.New("step 5: lift the fence on the source: "+names, traffic.Unfence, onSource),
	} {
		b.Detail(ctx, "%s", step.Summary)
		if err := step.Run(call.Quick(ctx, step.Summary)); err != nil {
			return err
		}
	}
	return b.AwaitGroups(ctx, api.Target, groups, b.Plan.Source.NameServers, 0)
}
