package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
)

const (
	// callBackTime is for how long a way back waits for the word that no release
	// brings applications to the target any more. Nobody is hurt meanwhile, as both sides serve; a
	// stock client that is being restarted shows within it.
	callBackTime = time.Minute
)

// A way back begins while releases may be under way: applications that were asked to move aren't on
// the target yet, so nobody who looks sees them, and they arrive when all is over. Groups then find
// the target closed, and what producers write there no lane brings back. So applications that were
// asked to move are called back, and the question stands until somebody says that nothing brings
// them to the target any more, or until callBackTime after the way back began. Groups are open on
// the source meanwhile.

// callsBack begins that time.
func (d *stageRun) callsBack(ctx workflow.Context) {
	if change.Made(ctx, change.CalledBack) {
		d.arrivals = workflow.Now(ctx).Add(callBackTime)
	}
}

// awaitBack asks for groups whose applications are to be at the source, and waits until they are.
func (d *stageRun) awaitBack(ctx workflow.Context, groups []string) error {
	if d.arrivals.IsZero() { // else it was done before the first question
		d.forgetReleased()
	}
	w := d.groupsAsked(api.Source, groups, d.plan.Source.NameServers)
	look := d.membersLeave(api.Target, groups, d.untilDead())
	return d.askRelease(ctx, d.untilArrived(ctx, w), []api.Names{w.Groups}, d.arrived(look))
}

// untilDead is for how long a question about applications on the target waits for a target that
// doesn't answer. Nobody is at a dead one; what it owes is told, and waited for, elsewhere.
func (d *stageRun) untilDead() time.Duration {
	if d.arrivals.IsZero() {
		return 0
	}
	return d.patience()
}

// calledBack is a question that is put beside other work.
type calledBack struct {
	workflow.Future
	cancel workflow.CancelFunc
}

// callBackProducers asks for producers that a Shift has asked to go to the target, and that nobody
// saw there when the way back began.
func (d *stageRun) callBackProducers(ctx workflow.Context, asked []api.Names) calledBack {
	ctx, cancel := workflow.WithCancel(ctx)
	outcome, settable := workflow.NewFuture(ctx)
	if len(asked) == 0 {
		settable.Set(nil, nil)
		return calledBack{outcome, cancel}
	}
	var questions []func(workflow.Context) error
	for _, topics := range asked {
		questions = append(questions, func(ctx workflow.Context) error {
			w := d.producersAsked(api.Source, topics, d.plan.Source.NameServers)
			look := d.putsEnd(api.Target, d.untilDead())
			return d.askRelease(ctx, d.untilArrived(ctx, w), d.parts(topics), d.arrived(look))
		})
	}
	workflow.GoNamed(ctx, "producers return", func(ctx workflow.Context) {
		settable.Set(nil, call.Together(ctx, questions))
	})
	return calledBack{outcome, cancel}
}

// underWay are the topics whose producers may be on their way to the target, although those of the
// moved ones have returned.
func (d *stageRun) underWay(in api.MigrationInput, moved api.Names) []api.Names {
	if d.arrivals.IsZero() {
		return nil
	}
	asked := in.AskedIn
	if len(asked) == 0 && moved.Len() > 0 { // who began it doesn't know
		asked = []api.Names{moved}
	}
	gate := d.producersAsked(api.Source, moved, nil).Gate
	if moved.Len() == 0 || !d.isReleased(gate, api.Names{}, moved) {
		return asked
	}
	names, inline := moved.Inline() // of these nothing is under way
	return slices.DeleteFunc(slices.Clone(asked), func(topics api.Names) bool {
		others, all := topics.Inline()
		return inline && all && len(lists.Without(others, names)) == 0
	})
}

// untilArrived says in a question how long it stands.
func (d *stageRun) untilArrived(ctx workflow.Context, w api.Waiting) api.Waiting {
	if left := d.arrivals.Sub(workflow.Now(ctx)); left > 0 {
		w.Text += fmt.Sprintf(
			"; stop releases that bring them to the target, and say released when none is under way: else it "+
				"goes on in %s", left.Round(time.Second))
	}
	return w
}

// arrived looks once more when those that were on their way must have arrived, unless the pipeline
// says that none is.
func (d *stageRun) arrived(look poller) poller {
	return func(
		ctx workflow.Context, part api.Names, released bool, said []string,
	) workflow.Future {
		if released || !workflow.Now(ctx).Before(d.arrivals) {
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
			left := d.arrivals.Sub(workflow.Now(ctx))
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

// askedToMove are the topics of the steps whose producers a Shift has asked to go to the target.
func askedToMove(s api.Status) (topics []api.Names) {
	for _, w := range s.Waves {
		if w.State != api.StagePending && w.State != api.WaveGroups && w.Topics.Len() > 0 {
			topics = append(topics, w.Topics)
		}
	}
	return topics
}
