package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/stage"
)

// freeStrandedBefore is of runs that are older than change.Stranded.
func (m *migration) freeStrandedBefore(ctx workflow.Context) {
	if m.Plan.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return
	}
	var returns *activities.Returns
	var traffic *activities.Traffic
	survey := activities.SurveyRequest{
		Request: m.Request(), ByMark: true, SourceOnly: true, Most: m.MostAtOnce(),
	}
	for {
		var found activities.Survey
		var moved []string
		err := workflow.ExecuteActivity(call.Quick(ctx, "what a terminated Shift left fenced"),
			returns.Survey, survey).Get(ctx, &found)
		fenced, _ := found.FencedGroups.Inline()
		if err != nil || len(fenced) == 0 {
			return
		}
		groups := activities.GroupsRequest{
			Request: m.Request(), Side: api.Source, Groups: found.FencedGroups,
		}
		limited := call.Within(ctx, m.Plan.Shift.FenceLimit(), "which of them moved")
		if err := workflow.ExecuteActivity(limited, traffic.Moved, groups).Get(ctx,
			&moved); err != nil && !call.IsAway(err) {
			m.Note(ctx, "what a terminated Shift left fenced isn't known: %s: go back, or resume",
				call.RootMessage(err))
			return
		}
		if stranded := lists.Without(fenced, moved); len(stranded) > 0 {
			m.UndoFence(ctx, stranded, false)
		}
		if found.MoreFenced == 0 {
			return
		}
		survey.After = fenced[len(fenced)-1]
	}
}

// hasMoved reports whether a way back needs Rollback though this run has moved nothing: an earlier
// run of the migration, or a Shift that was started alone, may have. The brokers and gateways know.
// Where they don't answer, Rollback waits for them, in a run that has assessed the source; another
// one holds, as it may have the wrong address: resume looks again, and back ends it.
func (m *migration) hasMoved(ctx workflow.Context) (bool, error) {
	if !change.Made(ctx, change.Look) {
		return false, nil
	}
	var acts *activities.Returns
	for {
		var found activities.Survey
		m.Detail(ctx, "looks whether anything has moved")
		request := activities.SurveyRequest{Request: m.Request(), ByMark: true, Noted: true}
		err := workflow.ExecuteActivity(call.Within(ctx, m.Plan.Shift.FenceLimit(),
			"whether anything has moved"), acts.Survey, request).Get(ctx, &found)
		if err == nil || m.inventory != nil || !change.Made(ctx, change.Unknown) {
			return err != nil || found.Moved(), nil
		}
		m.Back = nil
		m.HoldItself(ctx, "whether an earlier run moved anything can't be looked up: "+
			call.RootMessage(err)+": resume looks again, back ends without")
		if stop := m.Checkpoint(ctx); errors.Is(stop, stage.ErrBack) {
			return false, temporal.NewNonRetryableApplicationError(
				"it was ended, and nobody knows whether an earlier run moved anything: "+
					call.RootMessage(err),
				call.NotRolledBackType,
				nil,
			)
		} else if stop != nil {
			return false, stop
		}
	}
}
