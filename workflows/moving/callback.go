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
func (m *Mover) AwaitBack(ctx workflow.Context, groups []string) error {
	if m.Arrivals.IsZero() { // else it was done before the first question
		m.ForgetReleased()
	}
	w := m.groupsAsked(api.Source, groups, m.Plan.Source.NameServers)
	look := m.membersLeave(api.Target, groups, m.UntilDead())
	return m.AskRelease(ctx, m.UntilArrived(ctx, w), []api.Names{w.Groups}, m.Arrived(look))
}

// UntilDead is for how long a question about applications on the target waits for a target that
// doesn't answer. Nobody is at a dead one; what it owes is told, and waited for, elsewhere.
func (m *Mover) UntilDead() time.Duration {
	if m.Arrivals.IsZero() {
		return 0
	}
	return m.Patience()
}

// UntilArrived says in a question how long it stands.
func (m *Mover) UntilArrived(ctx workflow.Context, w api.Waiting) api.Waiting {
	if left := m.Arrivals.Sub(workflow.Now(ctx)); left > 0 {
		w.Text += fmt.Sprintf(
			"; stop releases that bring them to the target, and say released when none is under way: else it "+
				"goes on in %s", left.Round(time.Second))
	}
	return w
}

// Arrived looks once more when those that were on their way must have arrived, unless the pipeline
// says that none is.
func (m *Mover) Arrived(look poller) poller {
	return func(
		ctx workflow.Context, part api.Names, released bool, said []string,
	) workflow.Future {
		if released || !workflow.Now(ctx).Before(m.Arrivals) {
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
			left := m.Arrivals.Sub(workflow.Now(ctx))
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
func (m *Mover) CloseOnTarget(ctx workflow.Context, groups []string) error {
	var traffic *activities.Traffic
	request := activities.GroupsRequest{
		Request: m.Request(), Side: api.Target, Groups: api.Some(groups...),
	}
	names := lists.Short(groups)
	shut := call.New("close on the target: "+names, traffic.Fence, request)
	if err := shut.Run(call.Quick(ctx, shut.Summary)); err != nil {
		return err
	}
	return m.AwaitBack(ctx, groups)
}
