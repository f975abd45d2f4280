package workflows

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// hasMoved reports whether a way back needs Rollback though this run has moved nothing: an earlier run of the migration, or a Shift that was
// started alone, may have. The brokers and gateways know; where they don't answer, Rollback waits for them.
func (m *migration) hasMoved(ctx workflow.Context) bool {
	if !changed(ctx, changeLook) {
		return false
	}
	var acts *activities.Returns
	var found activities.Survey
	m.detail(ctx, "looks whether anything has moved")
	request := activities.SurveyRequest{Request: m.request(), ByMark: true}
	err := workflow.ExecuteActivity(within(ctx, m.plan.Shift.FenceLimit(), "whether anything has moved"), acts.Survey, request).Get(ctx, &found)
	return err != nil || found.Moved()
}
