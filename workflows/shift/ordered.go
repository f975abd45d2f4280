package shift

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// openOrdered opens a part of the ordered topics, each when its producers have left the source. It
// holds state only between the last message of a topic on the source and the first on the target,
// which is refused until the topic is open there: one activity is watched closely for that. For
// the rest of the time, which may be weeks, another one only looks.
func openOrdered(ctx workflow.Context, r activities.AwaitMoveRequest) workflow.Future {
	if !change.Made(ctx, change.Ordered) {
		return moveOrdered(ctx, r)
	}
	outcome, settable := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, "open ordered topics", func(ctx workflow.Context) {
		settable.Set(nil, openInTurns(ctx, r))
	})
	return outcome
}

func moveOrdered(ctx workflow.Context, r activities.AwaitMoveRequest) workflow.Future {
	var acts *activities.Traffic
	summary := "ordered topics open on the target: " + api.Short(r.Topics)
	return workflow.ExecuteActivity(call.Quick(ctx, summary), acts.MoveOrdered, r)
}

// openInTurns opens what can be opened, and waits until more can be. Who looked doesn't decide:
// producers may have come back since. Turns that bring nothing get longer, so that producers that
// come and go don't fill the history.
func openInTurns(ctx workflow.Context, r activities.AwaitMoveRequest) error {
	var acts *activities.Traffic
	summary := "producers leave ordered topics of the source: " + api.Short(r.Topics)
	r.Stay = call.PatientAfter
	for left := r.Topics.Len(); ; {
		var moved activities.OrderedMove
		if err := moveOrdered(ctx, r).Get(ctx, &moved); err != nil || moved.Waiting == 0 {
			return err
		}
		next := min(2*r.Stay, call.OldAfter)
		if moved.Waiting < left {
			next = call.PatientAfter
		}
		left = moved.Waiting
		r.Stay, r.Stood = 0, nil
		var quiet activities.Quiet
		if err := call.WaitClosed(ctx, 0, summary, acts.AwaitOrdered, r).Get(ctx, &quiet); err != nil {
			return err
		}
		r.Stay, r.Stood = next, quiet.Stood
	}
}
