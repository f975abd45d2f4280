package rollback

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/stage"
)

// withoutTarget opens on the source what is fenced there, and waits until the target answers again.
// Why says what it does instead.
func (b *rollback) withoutTarget(ctx workflow.Context, why string) error {
	var survey activities.Survey
	if err := b.surveySource(ctx, "", &survey); err != nil {
		return err
	}
	open, err := b.openFenced(ctx, survey)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s. Owed to it: to close %d groups, and to bring back what was written there; it is done "+
		"by itself when the target is back", why, open.count)
	w := api.Waiting{Kind: api.WaitingGate, Gate: api.TargetGate, Text: text}
	if open.count > 0 {
		w = api.Waiting{
			Kind: api.WaitingRelease, Gate: api.TargetGate, Groups: api.Some(open.first...),
			To: api.Source, NameServers: b.Plan.Source.NameServers,
			Text: "re-point all applications to the source now: " + text,
		}
		if b.in.Inventory != nil { // whose producers have moved only the target could tell
			w.Topics = b.in.Inventory.Topics()
		}
	}
	done := b.Wait(ctx, w)
	defer done()
	return b.AwaitTarget(ctx, fmt.Sprintf("%d groups aren't closed on it, and what was written there and hadn't "+
		"been copied back is lost", open.count))
}

// openedGroups are groups that read on the source while the target isn't as it was.
type openedGroups struct {
	first []string
	count int
}

// openFenced lifts the fences on the source, a batch after another.
func (b *rollback) openFenced(
	ctx workflow.Context, survey activities.Survey,
) (open openedGroups, err error) {
	var traffic *activities.Traffic
	for {
		groups, _ := survey.FencedGroups.Inline()
		opened, _ := survey.OpenedGroups.Inline()
		if len(groups) > 0 {
			request := activities.GroupsRequest{
				Request: b.Request(), Side: api.Source,
				Groups: survey.FencedGroups, Ours: true,
			}
			names := lists.Short(groups)
			summary := "the target doesn't answer: lift the fence on the source: " + names
			if err := workflow.ExecuteActivity(call.Quick(ctx, summary), traffic.Unfence, request).Get(ctx,
				nil); err != nil {
				return open, err
			}
			b.Note(
				ctx,
				"the target doesn't answer: %d groups go on at the source where they were fenced, and read "+
					"again what they have read "+
					"on the target: %s",
				len(groups),
				names,
			)
		}
		if survey.MoreFenced == 0 {
			open.first = append(groups, opened...)
			open.first = open.first[:min(len(open.first), max(stage.BatchSize, len(groups)))]
			open.count = len(groups) + len(opened) + survey.MoreOpened
			return open, nil
		}
		survey = activities.Survey{}
		if err := b.surveySource(ctx, "", &survey); err != nil {
			return open, err
		}
	}
}

// undoReturn opens groups on the target again, where they were. If it doesn't take that, or was
// what the return failed for, they go on at the source. It returns why the return failed: that the
// target doesn't answer, if that is so by now.
func (b *rollback) undoReturn(
	ctx workflow.Context, why error, onTarget, onSource activities.GroupsRequest,
) error {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var traffic *activities.Traffic
	names := api.Short(onTarget.Groups)
	err := why
	if !call.IsAway(err) || !change.Made(ctx, change.WholeFence) {
		back := call.New("undo: open on the target again: "+names, traffic.Unfence, onTarget)
		err = back.Run(call.IfItAnswers(ctx, b.Plan.Shift.FenceLimit(), back.Summary))
		if err == nil {
			b.Note(ctx, "%s read the target again", names)
			return why
		}
	}
	lift := call.New("undo: lift the fence on the source: "+names, traffic.Unfence, onSource)
	if err := lift.Run(call.Quick(ctx, lift.Summary)); err != nil {
		b.Note(ctx, "undo: %s", call.RootMessage(err))
		return why
	}
	b.Note(ctx, "%s go on at the source, as the target doesn't take them: %s", names,
		call.RootMessage(err))
	if call.IsAway(err) && change.Made(ctx, change.Undone) { // applications are still to be asked
		return err
	}
	return why
}

// endWithoutTarget is the end of a way back whose target is lost: nothing is closed there any more,
// and nothing comes from there. Marks on the source would keep a later migration from its groups.
func (b *rollback) endWithoutTarget(ctx workflow.Context) error {
	b.Note(ctx, "the target is lost: everything stays on the source, without what was written on the target "+
		"and hadn't been copied back")
	if b.Plan.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return nil
	}
	after := ""
	for {
		var survey activities.Survey
		if err := b.surveySource(ctx, after, &survey); err != nil {
			return err
		}
		groups, _ := survey.OpenedGroups.Inline()
		if len(groups) > 0 {
			if err := b.ForgetFences(ctx, groups); err != nil {
				return err
			}
			after = groups[len(groups)-1]
		}
		if survey.MoreOpened == 0 || len(groups) == 0 {
			return nil
		}
	}
}
