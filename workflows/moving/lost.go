package moving

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/stage"
)

// lostAfter is how long a target, or a broker of the source, must be away before anybody is asked:
// restarts and outages are over by then, or somebody works on them.
const lostAfter = 10 * time.Minute

// ErrLost ends the way back because a person said so.
var ErrLost = errors.New("the target is lost")

// AwaitTarget waits until the target answers again. A person may end that where it never will: then
// it returns ErrLost. Owed says what ends undone.
func (m *Mover) AwaitTarget(ctx workflow.Context, owed string) error {
	var returns *activities.Returns
	const summary = "the target answers again"
	if !change.Made(ctx, change.Lost) {
		return workflow.ExecuteActivity(call.Quick(ctx, summary), returns.AwaitTarget,
			m.Request()).Get(ctx, nil)
	}
	watching, cancel := workflow.WithCancel(ctx)
	defer cancel()
	watch := call.WaitFor(watching, 0, summary, returns.AwaitTarget, m.Request())
	lost, err := m.untilOrLost(ctx, summary, watch, stage.Question{
		Gate: api.LostGate, Evidence: owed,
		Text: "end the way back without the target, only if it is gone for good: " + owed,
	})
	if lost {
		return ErrLost
	}
	return err
}

// untilOrLost waits for what a watch sees. When that takes long, a person is asked whether it is
// lost.
func (m *Mover) untilOrLost(
	ctx workflow.Context, summary string, watch workflow.Future, q stage.Question,
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
	q.Life, q.Until = stage.LongestWait, watch.IsReady
	defer m.Unask(ctx, q.Gate)
	for {
		given, err := m.Ask(ctx, q)
		switch {
		case err != nil || given:
			return given, err
		case watch.IsReady():
			return false, watch.Get(ctx, nil)
		}
	}
}
