package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// Rollback returns producers and groups to the source, from whatever point a shift had reached: what has to be undone is read
// from the brokers, not from a memory of what was done.
//
// Producers go first. What they wrote on the target is on the source too, by the reverse lanes, so that groups follow as soon as their
// positions have exact counterparts there; of ordered topics they read on the target what was written there before. Then positions are
// translated back and the fences on the source are lifted. It ends when nothing is to come from the target any more: the lanes end with it.
//
// A target that doesn't answer keeps nobody off the source: groups are opened there within the
// fence budget, and what the target needs is done when it is back.
func Rollback(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, RollbackType, in)
	if err != nil {
		return Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error { return d.rollBack(ctx, in) })
}

func (d *desk) rollBack(ctx workflow.Context, in MigrationInput) error {
	switch {
	case d.plan.Traffic.Mode == plan.ModeGateway:
		return d.gatewayBack(ctx, in)
	case !changed(ctx, changeHealthyFirst):
		return d.releasesBack(ctx, in)
	}
	for {
		survey, err := d.survey(ctx, in)
		if err == nil {
			err = d.returnAll(ctx, in, survey)
		}
		if !isAway(err) {
			return err
		}
		if err := d.withoutTarget(ctx, in); err != nil {
			return err
		}
	}
}

// survey is what has moved. Both sides are waited for, the target for no longer than groups may wait
// for it: then the error says so.
func (d *desk) survey(ctx workflow.Context, in MigrationInput) (activities.Survey, error) {
	var acts *activities.Returns
	var survey activities.Survey
	request := activities.SurveyRequest{
		Request: d.request(), ByMark: true, Recorded: in.Fenced, Away: d.patience(),
	}
	err := workflow.ExecuteActivity(quick(ctx, "what has moved"), acts.Survey,
		request).Get(ctx, &survey)
	return survey, err
}

// surveySource is what the source alone tells of it.
func (d *desk) surveySource(
	ctx workflow.Context, in MigrationInput, survey *activities.Survey,
) error {
	var acts *activities.Returns
	request := activities.SurveyRequest{
		Request: d.request(), ByMark: true, Recorded: in.Fenced,
		SourceOnly: true,
	}
	return workflow.ExecuteActivity(quick(ctx, "what is fenced on the source"), acts.Survey,
		request).Get(ctx, survey)
}

// returnAll is the way back while both sides answer.
func (d *desk) returnAll(ctx workflow.Context, in MigrationInput, survey activities.Survey) error {
	fenced, opened, moved := survey.FencedGroups, survey.OpenedGroups, survey.MovedTopics
	d.detail(ctx, "%d groups are fenced on the source, %d topics have messages of their own on the target", len(fenced), len(moved))
	var away time.Duration // while nobody is refused on the source, the target may take its time
	if len(fenced) > 0 {
		away = d.patience()
	}
	// Step 1: producers write on the source again.
	if len(moved) > 0 {
		d.forgetReleased()
		if err := d.checkpoint(ctx); err != nil {
			return err
		}
		if err := d.awaitProducers(ctx, activities.Target, moved, d.plan.Source.NameServers,
			away); err != nil {
			return err
		}
	}
	// Step 2: groups read on the source again, at the same message.
	if len(fenced) > 0 {
		if err := d.checkpoint(ctx); err != nil {
			return err
		}
		if err := d.returnGroups(ctx, fenced, in.freeTopics()); err != nil {
			return err
		}
	}
	// Step 3: groups that were opened on the source while the target was away leave it.
	if len(opened) > 0 {
		if err := d.closeOnTarget(ctx, opened); err != nil {
			return err
		}
	}
	// Step 4: what was sent to the target for later comes back too.
	if len(moved)+len(fenced)+len(opened) > 0 {
		if err := d.awaitPending(ctx); err != nil {
			return err
		}
	}
	d.detail(ctx, "%d groups and the producers of %d topics are back on the source",
		len(fenced)+len(opened), len(moved))
	return nil
}

// patience is for how long an activity under a fence waits for a target that doesn't answer: it
// must say so itself before its own time-out.
func (d *desk) patience() time.Duration { return min(d.plan.Shift.FenceLimit(), quickTimeout/2) }

// withoutTarget opens on the source what is fenced there, and waits until the target answers again.
func (d *desk) withoutTarget(ctx workflow.Context, in MigrationInput) error {
	var survey activities.Survey
	if err := d.surveySource(ctx, in, &survey); err != nil {
		return err
	}
	var traffic *activities.Traffic
	var returns *activities.Returns
	groups := survey.FencedGroups
	if len(groups) > 0 {
		request := activities.GroupsRequest{
			Request: d.request(), Side: activities.Source,
			Groups: groups, Ours: true,
		}
		names := short(groups)
		summary := "the target doesn't answer: lift the fence on the source: " + names
		if err := workflow.ExecuteActivity(quick(ctx, summary), traffic.Unfence, request).Get(ctx,
			nil); err != nil {
			return err
		}
		d.note(ctx, "the target doesn't answer: %d groups go on at the source where they were fenced, and read again what they have read "+
			"on the target: %s", len(groups), names)
	}
	open := append(groups, survey.OpenedGroups...)
	text := fmt.Sprintf("the target doesn't answer. Owed to it: to close %d groups, and to bring back what was written there; it is done "+
		"by itself when the target is back", len(open))
	w := Waiting{Kind: WaitingGate, Gate: "target", Text: text}
	if len(open) > 0 {
		w = Waiting{
			Kind: WaitingRelease, Gate: "target", Groups: open, To: activities.Source,
			NameServers: d.plan.Source.NameServers,
			Text:        "re-point all applications to the source now: " + text,
		}
	}
	done := d.wait(ctx, w)
	defer done()
	return waitFor(ctx, 0, "the target answers again", returns.AwaitTarget,
		d.request()).Get(ctx, nil)
}

// returnGroups translates positions back and lifts the fences on the source. Until the positions
// are written the groups read the target, and do so again if it doesn't work.
func (d *desk) returnGroups(ctx workflow.Context, groups, free []string) (err error) {
	var returns *activities.Returns
	var traffic *activities.Traffic
	onTarget := activities.GroupsRequest{Request: d.request(), Side: activities.Target, Groups: groups}
	onSource := onTarget
	onSource.Side, onSource.Ours = activities.Source, true
	names := short(groups)
	exact := action{
		"1 positions are exact on the source: " + names, returns.AwaitReturnable,
		activities.ReturnRequest{
			GroupsRequest: onTarget, Free: free, Away: d.patience(),
		},
	}
	d.detail(ctx, "%s", exact.summary)
	if err := exact.run(patientFor(ctx, d.patience(), exact.summary)); err != nil {
		return err
	}
	translated := false
	defer func() { // stands before the first write
		if err != nil && !translated {
			d.undoReturn(ctx, onTarget, onSource)
		}
	}()
	d.detail(ctx, "2 groups move to the source: %s", names)
	if err := d.underFence(ctx, []action{
		{"2 fence on the target: " + names, traffic.Fence, onTarget},
		{"3 positions stand still: " + names, traffic.AwaitSettled, onTarget},
		{"4 translate back and write: " + names, traffic.Translate, onTarget},
	}); err != nil {
		return err
	}
	translated = true
	// Groups are refused on both sides: whoever cancels, the fence is lifted.
	disconnected, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	for _, a := range []action{
		{"5 lift the fence on the source: " + names, traffic.Unfence, onSource},
		{"6 nothing of these fences is left: " + names, returns.Forget, onSource},
	} {
		d.detail(ctx, "%s", a.summary)
		if err := a.run(quick(disconnected, a.summary)); err != nil {
			return err
		}
	}
	return d.awaitGroups(ctx, activities.Target, groups, d.plan.Source.NameServers, 0)
}

// undoReturn opens groups on the target again, where they were. If it doesn't take that, they go on
// at the source.
func (d *desk) undoReturn(ctx workflow.Context, onTarget, onSource activities.GroupsRequest) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var traffic *activities.Traffic
	names := short(onTarget.Groups)
	back := action{"undo: open on the target again: " + names, traffic.Unfence, onTarget}
	err := back.run(within(ctx, d.plan.Shift.FenceLimit(), back.summary))
	if err == nil {
		d.note(ctx, "%s read the target again", names)
		return
	}
	lift := action{"undo: lift the fence on the source: " + names, traffic.Unfence, onSource}
	if err := lift.run(quick(ctx, lift.summary)); err != nil {
		d.note(ctx, "undo: %s", rootMessage(err))
		return
	}
	d.note(ctx, "%s go on at the source, as the target doesn't take them: %s", names,
		rootMessage(err))
}

// closeOnTarget takes the rest of moves off the target: groups read the source already.
func (d *desk) closeOnTarget(ctx workflow.Context, groups []string) error {
	var traffic *activities.Traffic
	var returns *activities.Returns
	request := activities.GroupsRequest{
		Request: d.request(), Side: activities.Target,
		Groups: groups,
	}
	names := short(groups)
	shut := action{"close on the target: " + names, traffic.Fence, request}
	if err := shut.run(quick(ctx, shut.summary)); err != nil {
		return err
	}
	if err := d.awaitGroups(ctx, activities.Target, groups, d.plan.Source.NameServers,
		0); err != nil {
		return err
	}
	forget := action{"nothing of these fences is left: " + names, returns.Forget, request}
	return forget.run(quick(ctx, forget.summary))
}
