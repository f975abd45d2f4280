package rollback

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/moving"
)

// callsBack begins that time.
func (b *rollback) callsBack(ctx workflow.Context) {
	if change.Made(ctx, change.CalledBack) {
		b.Arrivals = workflow.Now(ctx).Add(moving.CallBackTime)
	}
}

// calledBack is a question that is put beside other work.
type calledBack struct {
	workflow.Future
	cancel workflow.CancelFunc
}

// callBackProducers asks for producers that a Shift has asked to go to the target, and that nobody
// saw there when the way back began.
func (b *rollback) callBackProducers(ctx workflow.Context, asked []api.Names) calledBack {
	ctx, cancel := workflow.WithCancel(ctx)
	outcome, settable := workflow.NewFuture(ctx)
	if len(asked) == 0 {
		settable.Set(nil, nil)
		return calledBack{outcome, cancel}
	}
	var questions []func(workflow.Context) error
	for _, topics := range asked {
		questions = append(questions, func(ctx workflow.Context) error {
			w := b.ProducersAsked(api.Source, topics, b.Plan.Source.NameServers)
			look := b.PutsEnd(api.Target, b.UntilDead())
			return b.AskRelease(ctx, b.UntilArrived(ctx, w), b.Parts(topics), b.Arrived(look))
		})
	}
	workflow.GoNamed(ctx, "producers return", func(ctx workflow.Context) {
		settable.Set(nil, call.Together(ctx, questions))
	})
	return calledBack{outcome, cancel}
}

// underWay are the topics whose producers may be on their way to the target, although those of the
// moved ones have returned.
func (b *rollback) underWay(moved api.Names) []api.Names {
	if b.Arrivals.IsZero() {
		return nil
	}
	asked := b.in.AskedIn
	if len(asked) == 0 && moved.Len() > 0 { // who began it doesn't know
		asked = []api.Names{moved}
	}
	gate := b.ProducersAsked(api.Source, moved, nil).Gate
	if moved.Len() == 0 || !b.IsReleased(gate, api.Names{}, moved) {
		return asked
	}
	names, inline := moved.Inline() // of these nothing is under way
	return slices.DeleteFunc(slices.Clone(asked), func(topics api.Names) bool {
		others, all := topics.Inline()
		return inline && all && len(lists.Without(others, names)) == 0
	})
}

// callBack asks for the applications that the end phase has asked to go to the target, before
// anything moves. Some may be on their way, where no gateway sees them: if groups returned to the
// source first, these would read the target from an older position, and without lanes soon after.
// While the target doesn't answer nobody may wait for them.
func (r *gatewaysReturn) callBack(ctx workflow.Context) error {
	var returns *activities.Returns
	if err := workflow.ExecuteActivity(call.IfItAnswers(ctx, moving.AuthorityTries, "the target answers"),
		returns.AwaitTarget, r.Request()).Get(ctx, nil); err != nil {
		return ctx.Err()
	}
	r.ForgetReleased()
	w := api.Waiting{
		Kind: api.WaitingRelease, Gate: api.BypassingGate, To: api.Source,
		Groups: r.at.Groups, Topics: r.at.Topics, NameServers: []string{r.at.NameServer},
		Text: fmt.Sprintf("stop releases that bring applications to the target, and re-point those "+
			"that are there to the gateway (name server %s); say released when none is on its way: "+
			"else it goes on after %s, with those that are connected by then",
			r.at.NameServer, moving.CallBackTime),
	}
	done := r.Wait(ctx, w)
	defer done()
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      moving.CallBackTime,
		TimerOptions: workflow.TimerOptions{Summary: "applications on their way to the target return"},
	}, func() bool { return r.IsReleased(w.Gate, w.Groups, w.Topics) })
	r.by = workflow.Now(ctx).Add(r.Patience())
	return err
}
