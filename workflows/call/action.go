package call

import "go.temporal.io/sdk/workflow"

// Action is an activity with its request, and with what people read of it in the history.
type Action struct {
	Summary  string
	Activity any
	Request  any
}

// Run runs it to its end, with the options of the context; what it returns isn't of interest.
func (a Action) Run(ctx workflow.Context) error {
	return workflow.ExecuteActivity(ctx, a.Activity, a.Request).Get(ctx, nil)
}
