package call

import "go.temporal.io/sdk/workflow"

// Action is an activity with its request, and with what people read of it in the history.
type Action struct {
	Summary  string
	Activity any
	Request  any
}

// New is the call of an activity. People read the summary in the history.
func New(summary string, activity, request any) Action {
	return Action{Summary: summary, Activity: activity, Request: request}
}

// Run runs it to its end, with the options of the context; what it returns isn't of interest.
func (a Action) Run(ctx workflow.Context) error {
	return workflow.ExecuteActivity(ctx, a.Activity, a.Request).Get(ctx, nil)
}
