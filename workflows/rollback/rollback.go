package rollback

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/moving"
	"rocketshift/workflows/stage"
)

// Rollback returns producers and groups to the source, from whatever point a shift had reached:
// what has to be undone is read from the brokers, not from a memory of what was done.
//
// Producers go first. What they wrote on the target is on the source too, by the reverse lanes, so
// that groups follow as soon as their positions have exact counterparts there; of ordered topics
// they read on the target what was written there before. Then positions are translated back and the
// fences on the source are lifted. It ends when nothing is to come from the target any more: the
// lanes end with it.
//
// A target that doesn't answer keeps nobody off the source: groups are opened there within the
// fence budget, and what the target needs is done when it is back.
func Rollback(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.RollbackType, in)
	if err != nil {
		return api.Status{}, err
	}
	r := &rollback{Mover: moving.New(run), in: in}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		err := r.rollBack(ctx)
		if errors.Is(err, moving.ErrLost) {
			return r.endWithoutTarget(ctx)
		}
		return err
	})
}

// rollback is a way back.
type rollback struct {
	*moving.Mover
	in api.MigrationInput
}

func (b *rollback) rollBack(ctx workflow.Context) error {
	switch {
	case b.Plan.Traffic.Mode == plan.ModeGateway:
		return b.gatewayBack(ctx)
	case !change.Made(ctx, change.HealthyFirst):
		return b.releasesBack(ctx)
	}
	b.callsBack(ctx)
	if change.Made(ctx, change.Stranded) && b.FreeStranded(ctx) {
		if err := b.withoutTarget(ctx, "the target doesn't answer"); err != nil {
			return err
		}
	}
	if b.WasReset(ctx) {
		b.FreeLate(ctx)
	}
	if b.Parent == nil { // else the migration does it
		b.WatchTarget(ctx)
	}
	for {
		survey, err := b.survey(ctx)
		if err == nil {
			err = b.returnAll(ctx, survey)
		}
		if !call.IsAway(err) {
			return err
		}
		if err := b.withoutTarget(ctx, call.AwayText(err)); err != nil {
			return err
		}
	}
}

// survey is what has moved. Both sides are waited for, the target for no longer than groups may
// wait for it: then the error says so. The activity says it by itself after half of the time that
// it has; a fault of the source, or of nobody known, is no reason to go on without the target.
func (b *rollback) survey(ctx workflow.Context) (activities.Survey, error) {
	var acts *activities.Returns
	var survey activities.Survey
	request := activities.SurveyRequest{
		Request: b.Request(), ByMark: true, Recorded: b.in.Fenced, RecordedIn: b.in.FencedIn,
		Closed: b.in.Closed,
		Away:   b.Patience(), Most: b.MostAtOnce(),
	}
	const what = "what has moved"
	if !change.Made(ctx, change.Refusal) {
		err := workflow.ExecuteActivity(call.Quick(ctx, what), acts.Survey, request).Get(ctx, &survey)
		return survey, err
	}
	for limit := 2 * b.Patience(); ; limit = min(2*limit, call.LongestTries) {
		err := workflow.ExecuteActivity(call.Within(ctx, limit, what), acts.Survey,
			request).Get(ctx, &survey)
		if err == nil || call.IsAway(err) || call.Lasts(err) || ctx.Err() != nil {
			return survey, err
		}
		b.Detail(ctx, "what has moved isn't known yet: %s", call.RootMessage(err))
	}
}

// surveySource is what the source alone tells of it.
func (b *rollback) surveySource(
	ctx workflow.Context, after string, survey *activities.Survey,
) error {
	var acts *activities.Returns
	request := activities.SurveyRequest{
		Request: b.Request(), ByMark: true, Recorded: b.in.Fenced, RecordedIn: b.in.FencedIn,
		Closed:     b.in.Closed,
		SourceOnly: true, Most: b.MostAtOnce(), After: after,
	}
	return workflow.ExecuteActivity(call.Quick(ctx, "what is fenced on the source"), acts.Survey,
		request).Get(ctx, survey)
}

// returnAll is the way back while both sides answer.
func (b *rollback) returnAll(ctx workflow.Context, survey activities.Survey) error {
	moved := survey.MovedTopics
	fenced, opened := survey.FencedGroups.Len()+survey.MoreFenced,
		survey.OpenedGroups.Len()+survey.MoreOpened
	b.Detail(ctx, "%d groups are fenced on the source, %d topics have messages of their own on the target",
		fenced, moved.Len())
	away := b.UntilDead() // of older runs: while nobody is refused, the target may take its time
	if fenced > 0 {
		away = b.Patience()
	}
	// Step 1: producers write on the source again.
	if moved.Len() > 0 {
		b.ForgetReleased()
		if err := b.Checkpoint(ctx); err != nil {
			return err
		}
		if err := b.AwaitProducers(ctx, api.Target, moved, b.Plan.Source.NameServers,
			away); err != nil {
			return err
		}
	}
	asked := b.underWay(moved)
	// Step 2: groups read on the source again, at the same message. Step 3: groups that were opened
	// on the source while the target was away leave it.
	// Producers that were on their way are called back meanwhile: groups don't wait for them.
	if !b.Arrivals.IsZero() {
		b.ForgetReleased()
	}
	arrived := b.callBackProducers(ctx, asked)
	back, err := b.returnEach(ctx, survey)
	if err != nil {
		arrived.cancel()
		return err
	}
	if err := arrived.Get(ctx, nil); err != nil {
		return err
	}
	if fenced+opened+len(b.in.Fenced)+len(b.in.FencedIn) > 0 {
		if err := b.AwaitMissing(ctx); err != nil {
			return err
		}
	}
	// Step 4: what was sent to the target for later comes back too.
	if moved.Len()+fenced+opened+len(asked) > 0 {
		if err := b.awaitPending(ctx); err != nil {
			return err
		}
	}
	// Step 5: nothing of the fences is left. Who goes back again before finds by them that members,
	// or messages, may be on the target.
	for some := range slices.Chunk(back, stage.BatchSize) {
		if err := b.ForgetFences(ctx, some); err != nil {
			return err
		}
	}
	b.Detail(ctx, "%d groups and the producers of %d topics are back on the source",
		fenced+opened, moved.Len())
	return nil
}

// returnEach returns the groups, a batch after another: the brokers say which are left. It names
// those whose marks are to be taken away in the end.
func (b *rollback) returnEach(
	ctx workflow.Context, survey activities.Survey,
) (back []string, err error) {
	last := change.Made(ctx, change.ForgetLast)
	after := ""
	for {
		fenced, _ := survey.FencedGroups.Inline()
		opened, _ := survey.OpenedGroups.Inline()
		if len(fenced) > 0 {
			if err := b.Checkpoint(ctx); err != nil {
				return nil, err
			}
			if err := b.returnGroups(ctx, fenced, b.freeTopics()); err != nil {
				return nil, err
			}
		}
		if len(opened) > 0 && last { // those that were fenced are marked like these by now
			after = opened[len(opened)-1]
			opened = lists.Without(opened, back)
		}
		if len(opened) > 0 {
			if err := b.CloseOnTarget(ctx, opened); err != nil {
				return nil, err
			}
			if !last {
				err = b.ForgetFences(ctx, opened)
			}
		}
		if last {
			back = slices.Concat(back, fenced, opened)
		}
		if err != nil || survey.MoreFenced+survey.MoreOpened == 0 {
			return back, err
		}
		if survey.MoreFenced > 0 { // these first, and all that are opened afterwards
			after = ""
		}
		survey = activities.Survey{}
		if err := b.surveySource(ctx, after, &survey); err != nil {
			return nil, err
		}
	}
}

// returnGroups translates positions back and lifts the fences on the source. Until the positions
// are written the groups read the target, and do so again if it doesn't work.
func (b *rollback) returnGroups(
	ctx workflow.Context, groups []string, free api.Names,
) (err error) {
	var returns *activities.Returns
	var traffic *activities.Traffic
	onTarget := activities.GroupsRequest{
		Request: b.Request(), Side: api.Target, Groups: api.Some(groups...),
	}
	onSource := onTarget
	onSource.Side, onSource.Ours = api.Source, true
	names := lists.Short(groups)
	exact := call.New("step 1: positions are exact on the source: "+names, returns.AwaitReturnable,
		activities.ReturnRequest{GroupsRequest: onTarget, Free: free, Away: b.Patience()})
	b.Detail(ctx, "%s", exact.Summary)
	if err := exact.Run(call.PatientFor(ctx, b.Patience(), exact.Summary)); err != nil {
		return err
	}
	translated := false
	defer func() { // stands before the first write
		if err != nil && !translated {
			err = b.undoReturn(ctx, err, onTarget, onSource)
		}
	}()
	b.Detail(ctx, "step 2: groups move to the source: %s", names)
	if err := b.UnderFence(ctx, []call.Action{
		call.New("step 2: fence on the target: "+names, traffic.Fence, onTarget),
		call.New("step 3: positions stand still: "+names, traffic.AwaitSettled, onTarget),
		call.New("step 4: translate back and write: "+names, traffic.Translate, onTarget),
	}); err != nil {
		return err
	}
	translated = true
	// Groups are refused on both sides: whoever cancels, the fence is lifted.
	disconnected, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	open := []call.Action{
		call.New("step 5: lift the fence on the source: "+names, traffic.Unfence, onSource),
		call.New("step 6: nothing of these fences is left: "+names, returns.Forget, onSource),
	}
	if change.Made(ctx, change.ForgetLast) {
		open = open[:1]
	}
	for _, a := range open {
		b.Detail(ctx, "%s", a.Summary)
		if err := a.Run(call.Quick(disconnected, a.Summary)); err != nil {
			return err
		}
	}
	return b.AwaitBack(ctx, groups)
}

// freeTopics are those whose order needn't survive a move. Without an inventory nobody knows of
// any.
func (b *rollback) freeTopics() api.Names {
	if b.in.Inventory == nil {
		return api.Names{}
	}
	return b.in.Inventory.Free()
}
