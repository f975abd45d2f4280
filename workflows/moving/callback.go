package moving

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/lists"
)

// CallBackTime is for how long a way back waits for the word that no release brings applications to
// the target any more. Nobody is hurt meanwhile, as both sides serve; a stock client that is being
// restarted shows within it.
const CallBackTime = time.Minute

// A way back begins while releases may be under way: applications that were asked to move aren't on
// the target yet, so nobody who looks sees them, and they arrive when all is over. Groups then find
// the target closed, and what producers write there no lane brings back. So applications that were
// asked to move are called back, and the question stands until somebody says that nothing brings
// them to the target any more, or until CallBackTime after the way back began. Groups are open on
// the source meanwhile.

// AwaitBack asks for groups whose applications are to be at the source, and waits until they are.
func (d *Mover) AwaitBack(ctx workflow.Context, groups []string) error {
	if d.Arrivals.IsZero() { // else it was done before the first question
		d.ForgetReleased()
	}
	w := d.groupsAsked(api.Source, groups, d.Plan.Source.NameServers)
	look := d.membersLeave(api.Target, groups, d.UntilDead())
	return d.AskRelease(ctx, d.UntilArrived(ctx, w), []api.Names{w.Groups}, d.Arrived(look))
}

// UntilDead is for how long a question about applications on the target waits for a target that
// doesn't answer. Nobody is at a dead one; what it owes is told, and waited for, elsewhere.
func (d *Mover) UntilDead() time.Duration {
	if d.Arrivals.IsZero() {
		return 0
	}
	return d.Patience()
}

// UntilArrived says in a question how long it stands.
func (d *Mover) UntilArrived(ctx workflow.Context, w api.Waiting) api.Waiting {
	if left := d.Arrivals.Sub(workflow.Now(ctx)); left > 0 {
		w.Text += fmt.Sprintf(
			"; stop releases that bring them to the target, and say released when none is under way: else it "+
				"goes on in %s", left.Round(time.Second))
	}
	return w
}

// Arrived looks once more when those that were on their way must have arrived, unless the pipeline
// says that none is.
func (d *Mover) Arrived(look poller) poller {
	return func(
		ctx workflow.Context, part api.Names, released bool, said []string,
	) workflow.Future {
		if released || !workflow.Now(ctx).Before(d.Arrivals) {
			return look(ctx, part, released, said)
		}
		const summary = "applications on their way to the target return"
		outcome, settable := workflow.NewFuture(ctx)
		workflow.GoNamed(ctx, summary, func(ctx workflow.Context) {
			first := look(ctx, part, released, said)
			if first.Get(ctx, nil) != nil {
				settable.Chain(first)
				return
			}
			left := d.Arrivals.Sub(workflow.Now(ctx))
			if left <= 0 {
				settable.Chain(first)
				return
			}
			if err := workflow.NewTimerWithOptions(ctx, left,
				workflow.TimerOptions{Summary: summary}).Get(ctx, nil); err != nil {
				settable.SetError(err)
				return
			}
			settable.Chain(look(ctx, part, released, said))
		})
		return outcome
	}
}

// CloseOnTarget takes the rest of moves off the target: groups read the source already.
func (d *Mover) CloseOnTarget(ctx workflow.Context, groups []string) error {
	var traffic *activities.Traffic
	request := activities.GroupsRequest{
		Request: d.Request(), Side: api.Target, Groups: api.Some(groups...),
	}
	names := lists.Short(groups)
	shut := call.Action{Summary: "close on the target: " + names, Activity: traffic.Fence, Request: request}
	if err := shut.Run(call.Quick(ctx, shut.Summary)); err != nil {
		return err
	}
	return d.AwaitBack(ctx, groups)
}
