package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// LostGate is the question whether the way back ends without the target, which doesn't answer: it
// is gone for good then.
const LostGate = "lost"

// lostAfter is how long a target, or a broker of the source, must be away before anybody is asked:
// restarts and outages are over by then, or somebody works on them.
const lostAfter = 10 * time.Minute

// errLost ends the way back because a person said so.
var errLost = errors.New("the target is lost")

// awaitTarget waits until the target answers again. A person may end that where it never will: then
// it returns errLost. Owed says what ends undone.
func (d *mover) awaitTarget(ctx workflow.Context, owed string) error {
	var returns *activities.Returns
	const summary = "the target answers again"
	if !change.Made(ctx, change.Lost) {
		return workflow.ExecuteActivity(call.Quick(ctx, summary), returns.AwaitTarget,
			d.request()).Get(ctx, nil)
	}
	watching, cancel := workflow.WithCancel(ctx)
	defer cancel()
	watch := call.WaitFor(watching, 0, summary, returns.AwaitTarget, d.request())
	lost, err := d.untilOrLost(ctx, summary, watch, question{
		gate: LostGate, evidence: owed,
		text: "end the way back without the target, only if it is gone for good: " + owed,
	})
	if lost {
		return errLost
	}
	return err
}

// untilOrLost waits for what a watch sees. When that takes long, a person is asked whether it is
// lost.
func (d *mover) untilOrLost(
	ctx workflow.Context, summary string, watch workflow.Future, q question,
) (lost bool, err error) {
	timer := workflow.AwaitOptions{
		Timeout: lostAfter, TimerOptions: workflow.TimerOptions{Summary: summary},
	}
	if _, err := workflow.AwaitWithOptions(ctx, timer, watch.IsReady); err != nil {
		return false, err
	}
	if watch.IsReady() {
		return false, watch.Get(ctx, nil)
	}
	q.life, q.until = longestWait, watch.IsReady
	defer d.unask(ctx, q.gate)
	for {
		given, err := d.ask(ctx, q)
		switch {
		case err != nil || given:
			return given, err
		case watch.IsReady():
			return false, watch.Get(ctx, nil)
		}
	}
}
