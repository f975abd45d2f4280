package moving

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// WatchTarget looks after the target for the rest of the workflow, and says so while it doesn't
// answer: in soaks, at gates and between two steps nothing else asks it, and groups that have moved
// get nothing while their fences on the healthy source stay. Behind gateways nothing is fenced.
func (m *Mover) WatchTarget(ctx workflow.Context) {
	if m.Plan.Traffic.Mode == plan.ModeGateway || !change.Made(ctx, change.Watch) {
		return
	}
	workflow.GoNamed(ctx, "watch the target", func(ctx workflow.Context) {
		var returns *activities.Returns
		request := activities.WatchRequest{Request: m.Request(), Away: m.Patience()}
		for {
			err := call.WaitOn(ctx, "the target answers", returns.WatchTarget, request).Get(ctx, nil)
			if !call.IsAway(err) { // it was cancelled, or nobody can tell
				return
			}
			done := m.sayAway(ctx, call.AwayText(err))
			err = call.WaitOn(ctx, "the target answers again", returns.AwaitTarget,
				m.Request()).Get(ctx, nil)
			done()
			if err != nil {
				return
			}
		}
	})
}

// sayAway puts on the page that the target is away, where applications are on it and nothing takes
// them back yet; the result takes it off again.
func (m *Mover) sayAway(ctx workflow.Context, why string) (done func()) {
	there := len(Begun(m.View())) > 0 || m.Status.Type == api.RollbackType
	if !there || m.IsGoingBack() && !m.IsHeld() {
		return func() {}
	}
	return m.Wait(ctx, api.Waiting{
		Kind: api.WaitingGate, Gate: api.BackName,
		Text: fmt.Sprintf("%s. Groups that have moved get no messages until it is back, or until they go "+
			"back to the source: back opens it for them at once", why),
	})
}
