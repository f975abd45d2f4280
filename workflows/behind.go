package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// authorityTries is for how long the gateways are asked before applications are: a move under load
// takes seconds, and one that is refused is refused at once.
const authorityTries = 15 * time.Second

// returnAuthority makes the source the side that says who members are. Gateways refuse that while
// members are connected to the target: then applications are asked to return behind the gateways,
// which they left in the end phase.
func (d *desk) returnAuthority(ctx workflow.Context, move action, groups, topics activities.Names) error {
	err := move.run(within(ctx, authorityTries, move.summary))
	if err == nil || ctx.Err() != nil || lasts(err) {
		return err
	}
	return d.askBehind(ctx, move, err, groups, topics)
}

// askBehind asks applications to return behind the gateways until the gateways make the move; why is
// what they refused it for.
func (d *desk) askBehind(
	ctx workflow.Context, move action, why error, groups, topics activities.Names,
) error {
	var gateways *activities.Gateways
	var at activities.Gateway
	if err := workflow.ExecuteActivity(quick(ctx, "where the gateways are"), gateways.Entrance,
		d.request()).Get(ctx, &at); err != nil {
		return err
	}
	d.forgetReleased()
	w := Waiting{
		Kind: WaitingRelease, Gate: "clients past the gateway", Groups: groups, Topics: topics,
		To: activities.Source, NameServers: []string{at.NameServer},
		Text: fmt.Sprintf("re-point all applications to the gateway (name server %s): %s",
			at.NameServer, rootMessage(why)),
	}
	return d.askRelease(ctx, w, []activities.Names{{}}, func(
		ctx workflow.Context, _ activities.Names, _ bool, _ []string,
	) workflow.Future {
		return workflow.ExecuteActivity(quick(ctx, move.summary), move.activity, move.request)
	})
}

// byGateway makes gateways move something, however long it takes. While the target doesn't answer
// it can't be done: gateways prove each move on both sides. Then the page says so.
func (d *desk) byGateway(ctx workflow.Context, move action) error {
	if !changed(ctx, changeBehind) {
		return move.run(quick(ctx, move.summary))
	}
	var returns *activities.Returns
	done := func() {}
	defer func() { done() }()
	say := func(format string, args ...any) {
		done()
		done = d.wait(ctx, Waiting{
			Kind: WaitingGate, Gate: "target", Text: fmt.Sprintf(format, args...),
		})
	}
	for {
		err := move.run(within(ctx, quickTimeout, move.summary))
		switch {
		case err == nil || ctx.Err() != nil || lasts(err):
			return err
		case !isAway(err):
			say("%s: not done yet: %s; it goes on by itself", move.summary, rootMessage(err))
			continue
		}
		say("the target doesn't answer: start its brokers. Gateways can't do this without it: %s; "+
			"what is on the source goes on meanwhile", move.summary)
		if err := workflow.ExecuteActivity(quick(ctx, "the target answers again"),
			returns.AwaitTarget, d.request()).Get(ctx, nil); err != nil {
			return err
		}
	}
}
