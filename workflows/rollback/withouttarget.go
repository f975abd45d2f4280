package rollback

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/moving"
)

// A target that doesn't answer keeps nobody off the source, behind gateways either: once it has
// been away for as long as groups may wait, gateways return everything without it. What is owed to
// the source then, and what groups may read again, is said.

// gatewaysReturn is a way back behind gateways.
type gatewaysReturn struct {
	*rollback
	// away says that the target was away for as long as groups may wait, and answered nobody since.
	away bool
	// without says that something returned without it.
	without bool
	// by is until when the target may be away.
	by time.Time
	// at is how the gateways stood when the way back began.
	at activities.Gateway
	// tells says that gateways are asked who holds a move up by bypassing them.
	tells bool
}

// left are the groups whose applications may be at the target when the way back begins.
func (r *gatewaysReturn) left() api.Names {
	if r.at.Groups.Len() == 0 && r.in.Inventory != nil {
		return r.in.Inventory.Readers()
	}
	return r.at.Groups
}

// fromEnd reports whether the way back begins in the end phase or after it: applications were asked
// to go to the target, and some may be there, or on their way.
func (r *gatewaysReturn) fromEnd() bool {
	return r.tells && r.at.Authority == api.Target
}

// OneTry is how long one try of a move takes at most until it says that the target is away: ten
// seconds for the gateways, and a look at the brokers.
const OneTry = 20 * time.Second

// returnByGateways brings everything back, with or without the target. It ends when both sides
// answered. Done takes what is owed by then off the page.
func (b *rollback) returnByGateways(
	ctx workflow.Context, steps []call.Action,
) (done func(), err error) {
	done = func() {}
	var at activities.Gateway
	var gateways *activities.Gateways
	err = workflow.ExecuteActivity(call.Within(ctx, moving.AuthorityTries, "how the gateways stand"), gateways.Entrance,
		b.Request()).Get(ctx, &at)
	if ctx.Err() != nil {
		return done, err
	}
	tells := change.Made(ctx, change.Bypassed)
	past := api.Names{} // groups with members that may have gone to the target itself
	for first := true; ; first = false {
		r := gatewaysReturn{
			rollback: b, by: workflow.Now(ctx).Add(b.Patience()), at: at, tells: tells,
		}
		if r.fromEnd() {
			past = r.left()
		}
		if err := r.all(ctx, steps, past, first && r.fromEnd()); err != nil || !r.without {
			return done, err
		}
		if at.Authority == api.Target {
			past = r.left()
		}
		done()
		if done, err = r.awaitTarget(ctx, at); err != nil {
			return done, err
		}
	}
}

// all takes each step. Those that were done are done again without effect.
// Calls says that applications are called back first.
func (r *gatewaysReturn) all(
	ctx workflow.Context, steps []call.Action, past api.Names, calls bool,
) error {
	for i, step := range steps {
		r.Detail(ctx, "%s", step.Summary)
		if r.tells {
			step = moving.Telling(step, activities.Bypassing{})
		}
		var err error
		switch i {
		case 0:
			err = r.tell(ctx, step)
			if calls && err == nil {
				err = r.callBack(ctx)
			}
		case 1:
			err = r.step(ctx, step, r.takeAuthority)
		case 2:
			if request, is := step.Request.(activities.HomesRequest); is && r.fromEnd() {
				request.Nobody = true
				step.Request = request
			}
			err = r.step(ctx, step, nil)
		case 3:
			if past.Len() > 0 { // gateways refuse groups with members that are on the target
				request := activities.GroupsRequest{
					Request: r.Request(), Side: api.Source, Groups: past,
				}
				step = call.New("nobody reads the target: "+api.Short(past), step.Activity, request)
				if r.tells {
					step = moving.Telling(step, activities.Bypassing{})
				}
			}
			err = r.step(ctx, step, nil)
		default:
			err = r.step(ctx, step, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell tells the gateways the migration. One that moved anything knows it already.
func (r *gatewaysReturn) tell(ctx workflow.Context, step call.Action) error {
	err := step.Run(call.Within(ctx, moving.AuthorityTries, step.Summary))
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		r.Note(ctx, "the gateways weren't told of the migration again: %s", call.RootMessage(err))
	}
	return nil
}

// step makes gateways return something: with the target, and where that has been away for too long,
// without it. Gateways judge by themselves whether it answers. How is what to do instead of the
// move as it is.
func (r *gatewaysReturn) step(
	ctx workflow.Context, move call.Action, how func(workflow.Context, call.Action, time.Duration) error,
) error {
	if how == nil {
		how = func(ctx workflow.Context, move call.Action, limit time.Duration) error {
			return move.Run(call.Within(ctx, limit, move.Summary))
		}
	}
	done := func() {}
	defer func() { done() }()
	limit := max(r.by.Sub(workflow.Now(ctx)), OneTry)
	for {
		if r.away {
			err := withoutTarget(move).Run(call.Within(ctx, r.Patience(), "without the target: "+move.Summary))
			r.without = r.without || err == nil
			if err == nil || ctx.Err() != nil || call.Lasts(err) {
				return err
			}
			done()
			done = r.says(ctx, move, err)
		}
		err := how(ctx, move, limit)
		limit = max(r.Patience(), OneTry) // the target may die only now
		_, asks := activities.BypassingOf(err)
		if asks {
			done()
			done = func() {}
			err = r.AskBehind(ctx, move, err, api.Names{}, api.Names{})
		}
		if err == nil || ctx.Err() != nil || call.Lasts(err) {
			return err
		}
		done()
		done = r.says(ctx, move, err)
		r.away = call.IsAway(err) && !asks
	}
}

// says shows why a step isn't done yet.
func (r *gatewaysReturn) says(ctx workflow.Context, move call.Action, err error) (done func()) {
	text := fmt.Sprintf("%s: not done yet: %s; it goes on by itself", move.Summary, call.RootMessage(err))
	return r.Wait(ctx, api.Waiting{Kind: api.WaitingGate, Gate: api.TargetGate, Text: text})
}

// takeAuthority makes the source say who members are. While members are connected to the target,
// applications are asked to return behind the gateways.
func (r *gatewaysReturn) takeAuthority(
	ctx workflow.Context, move call.Action, limit time.Duration,
) error {
	var groups, topics api.Names // of whom applications are asked for
	if r.in.Inventory != nil {
		groups, topics = r.in.Inventory.Readers(), r.in.Inventory.Topics()
	}
	err := move.Run(call.Within(ctx, min(limit, moving.AuthorityTries), move.Summary))
	if call.IsAway(err) && limit > moving.AuthorityTries { // it may answer yet
		err = move.Run(call.Within(ctx, max(limit-moving.AuthorityTries, moving.AuthorityTries), move.Summary))
	}
	if err == nil || ctx.Err() != nil || call.Lasts(err) || call.IsAway(err) {
		return err
	}
	return r.AskBehind(ctx, move, err, groups, topics)
}

// asksBehind asks applications that may have gone to the target itself to return behind the
// gateways.
func (r *gatewaysReturn) asksBehind(w *api.Waiting, at activities.Gateway) {
	if at.Authority != api.Target {
		return
	}
	w.Kind, w.To, w.NameServers = api.WaitingRelease, api.Source, []string{at.NameServer}
	w.Groups, w.Topics = at.Groups, at.Topics
	if r.in.Inventory != nil {
		w.Groups, w.Topics = r.in.Inventory.Readers(), r.in.Inventory.Topics()
	}
	w.Text = fmt.Sprintf("re-point all applications to the gateway now (name server %s): %s",
		at.NameServer, w.Text)
}

// withoutTarget is a move to the source of which gateways ask the target nothing.
func withoutTarget(move call.Action) call.Action {
	switch request := move.Request.(type) {
	case activities.GroupsRequest:
		request.WithoutTarget = true
		move.Request = request
	case activities.HomesRequest:
		request.WithoutTarget = true
		move.Request = request
	}
	return move
}

// awaitTarget says what returned without the target, and waits until that answers again. What it
// returns takes the last word of it off the page.
func (r *gatewaysReturn) awaitTarget(
	ctx workflow.Context, at activities.Gateway,
) (done func(), err error) {
	var gateways *activities.Gateways
	request := activities.OwedRequest{Request: r.Request()}
	if r.in.Inventory != nil {
		request.Ordered = r.in.Inventory.Ordered()
	}
	var owed activities.Owed
	var text string
	if err := workflow.ExecuteActivity(call.Within(ctx, r.Patience(), "what the target owes"), gateways.Owed,
		request).Get(ctx, &owed); err != nil {
		text = "what the target owes isn't known: " + call.RootMessage(err)
	} else {
		text = "owed by it: " + owed.String()
	}
	r.Note(ctx, "the target doesn't answer: homes and groups are back on the source without it; "+
		"groups go on from the positions that the source has, and may read again what they have read "+
		"on the target in the last seconds. %s", text)
	w := api.Waiting{
		Kind: api.WaitingGate, Gate: api.TargetGate,
		Text: "the target doesn't answer: start its brokers. Everything reads and writes the source " +
			"meanwhile; " + text,
	}
	r.asksBehind(&w, at)
	done = r.Wait(ctx, w)
	err = r.rollback.AwaitTarget(ctx, "what is owed is lost; "+text)
	done()
	if err != nil {
		return func() {}, err
	}
	w.Kind, w.Text = api.WaitingGate, "the target answers again, and the lanes copy what was owed; "+text
	return r.Wait(ctx, w), nil
}
