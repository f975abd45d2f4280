package workflows

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// freeStranded opens groups again that a move which was cut off left closed on both sides: on the
// side on which they read before it. It comes before anything else, as nobody can read meanwhile;
// what it can't do is noted, and left to a move of the groups or to Rollback.
func (d *desk) freeStranded(ctx workflow.Context) {
	if d.plan.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return
	}
	var returns *activities.Returns
	var found activities.Stranded
	request := activities.SurveyRequest{Request: d.request(), Away: d.patience()}
	err := workflow.ExecuteActivity(within(ctx, 2*d.plan.Shift.FenceLimit(),
		"groups that a move left closed on both sides"), returns.Stranded, request).Get(ctx, &found)
	if err != nil {
		d.note(ctx, "whether a move left groups closed on both sides isn't known: %s", rootMessage(err))
		return
	}
	groups := activities.GroupsRequest{Request: d.request(), Side: activities.Target}
	if groups.Groups = found.Target; len(found.Target) > 0 {
		var traffic *activities.Traffic
		open := action{
			"open on the target again: " + short(found.Target), traffic.Unfence, groups,
		}
		if err := open.run(within(ctx, d.plan.Shift.FenceLimit(), open.summary)); err != nil {
			d.note(ctx, "%s: %s", open.summary, rootMessage(err))
		} else {
			d.note(ctx, "a move was cut off: %s read the target again", short(found.Target))
		}
	}
	if groups.Groups = found.Source; len(found.Source) > 0 {
		d.note(ctx, "a move was cut off: %s read the source again", short(found.Source))
		d.undoFence(ctx, groups)
	}
}

// freeStrandedBefore is of runs that are older than changeStranded.
func (m *migration) freeStrandedBefore(ctx workflow.Context) {
	if m.plan.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return
	}
	var returns *activities.Returns
	var traffic *activities.Traffic
	var found activities.Survey
	var moved []string
	survey := activities.SurveyRequest{Request: m.request(), ByMark: true, SourceOnly: true}
	err := workflow.ExecuteActivity(quick(ctx, "what a terminated Shift left fenced"),
		returns.Survey, survey).Get(ctx, &found)
	if err != nil || len(found.FencedGroups) == 0 {
		return
	}
	groups := activities.GroupsRequest{
		Request: m.request(), Side: activities.Source,
		Groups: found.FencedGroups,
	}
	limited := within(ctx, m.plan.Shift.FenceLimit(), "which of them moved")
	if err := workflow.ExecuteActivity(limited, traffic.Moved, groups).Get(ctx,
		&moved); err != nil && !isAway(err) {
		m.note(ctx, "what a terminated Shift left fenced isn't known: %s: go back, or resume",
			rootMessage(err))
		return
	}
	if groups.Groups = without(groups.Groups, moved); len(groups.Groups) > 0 {
		m.undoFence(ctx, groups)
	}
}

// hasMoved reports whether a way back needs Rollback though this run has moved nothing: an earlier
// run of the migration, or a Shift that was started alone, may have. The brokers and gateways know;
// where they don't answer, Rollback waits for them.
func (m *migration) hasMoved(ctx workflow.Context) bool {
	if !changed(ctx, changeLook) {
		return false
	}
	var acts *activities.Returns
	var found activities.Survey
	m.detail(ctx, "looks whether anything has moved")
	request := activities.SurveyRequest{Request: m.request(), ByMark: true, Noted: true}
	err := workflow.ExecuteActivity(within(ctx, m.plan.Shift.FenceLimit(),
		"whether anything has moved"), acts.Survey, request).Get(ctx, &found)
	return err != nil || found.Moved()
}
