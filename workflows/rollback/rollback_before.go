package rollback

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/lists"
)

// releasesBack is the way back of runs that are older than change.HealthyFirst.
func (d *rollback) releasesBack(ctx workflow.Context) error {
	// Step 1: what is on the target?
	var acts *activities.Returns
	var survey activities.Survey
	request := activities.SurveyRequest{Request: d.Request()}
	if err := workflow.ExecuteActivity(call.Quick(ctx, "what has moved"), acts.Survey, request).Get(ctx, &survey); err != nil {
		return err
	}
	fenced, _ := survey.FencedGroups.Inline()
	d.Detail(ctx, "%d groups are fenced on the source, %d topics have messages of their own on the target",
		len(fenced), survey.MovedTopics.Len())
	// Step 2: producers write on the source again.
	if survey.MovedTopics.Len() > 0 {
		d.ForgetReleased()
		if err := d.Checkpoint(ctx); err != nil {
			return err
		}
		if err := d.AwaitProducers(ctx, api.Target, survey.MovedTopics, d.Plan.Source.NameServers, 0); err != nil {
			return err
		}
	}
	// Step 3: groups read on the source again, at the same message.
	if len(fenced) > 0 {
		if err := d.Checkpoint(ctx); err != nil {
			return err
		}
		if err := d.returnGroupsBefore(ctx, fenced, d.freeTopics()); err != nil {
			return err
		}
	}
	// Step 4: what was sent to the target for later comes back too.
	if survey.MovedTopics.Len()+len(fenced) > 0 {
		if err := d.awaitPending(ctx); err != nil {
			return err
		}
	}
	d.Detail(ctx, "%d groups and the producers of %d topics are back on the source", len(fenced),
		survey.MovedTopics.Len())
	return nil
}

// returnGroupsBefore is of runs that are older than change.HealthyFirst.
func (d *rollback) returnGroupsBefore(
	ctx workflow.Context, groups []string, free api.Names,
) error {
	var returns *activities.Returns
	var traffic *activities.Traffic
	onTarget := activities.GroupsRequest{Request: d.Request(), Side: api.Target, Groups: api.Some(groups...)}
	onSource := onTarget
	onSource.Side = api.Source
	names := lists.Short(groups)
	for _, step := range []call.Action{
		{
			Summary: "step 1: positions are exact on the source: " + names, Activity: returns.AwaitReturnable,
			Request: activities.ReturnRequest{GroupsRequest: onTarget, Free: free},
		},
		{Summary: "step 2: fence on the target: " + names, Activity: traffic.Fence, Request: onTarget},
		{Summary: "step 3: positions stand still: " + names, Activity: traffic.AwaitSettled, Request: onTarget},
		{Summary: "step 4: translate back and write: " + names, Activity: traffic.Translate, Request: onTarget},
		{Summary: "step 5: lift the fence on the source: " + names, Activity: traffic.Unfence, Request: onSource},
	} {
		d.Detail(ctx, "%s", step.Summary)
		if err := step.Run(call.Quick(ctx, step.Summary)); err != nil {
			return err
		}
	}
	return d.AwaitGroups(ctx, api.Target, groups, d.Plan.Source.NameServers, 0)
}
