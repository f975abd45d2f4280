package moving

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// AuthorityTries is for how long the gateways are asked before applications are: a move under load
// takes seconds, and one that is refused is refused at once.
const AuthorityTries = 15 * time.Second

// AskBehind asks applications to come behind the gateways until the gateways make the move; why is
// what they refused it for. It says who they are, and that is asked for, and more when others hold
// the move up meanwhile. Gateways of older releases don't say it: then groups and topics are asked
// for. It ends, too, when the target doesn't answer.
func (m *Mover) AskBehind(
	ctx workflow.Context, move call.Action, why error, groups, topics api.Names,
) error {
	tells := change.Made(ctx, change.Bypassed)
	var gateways *activities.Gateways
	var at activities.Gateway
	if err := workflow.ExecuteActivity(call.Quick(ctx, "where the gateways are"), gateways.Entrance,
		m.Request()).Get(ctx, &at); err != nil {
		return err
	}
	if tells && groups.Len()+topics.Len() == 0 {
		groups, topics = at.Groups, at.Topics
	}
	for {
		by, told := activities.BypassingOf(why)
		if told {
			groups, topics = by.Groups, by.Topics
		}
		m.ForgetReleased()
		try := move
		if tells {
			try = Telling(move, activities.Bypassing{Groups: groups, Topics: topics})
		}
		err := m.AskRelease(ctx, m.behindAsked(at, why, groups, topics), []api.Names{{}}, func(
			ctx workflow.Context, _ api.Names, _ bool, _ []string,
		) workflow.Future {
			if tells {
				return untilBehind(ctx, try)
			}
			return workflow.ExecuteActivity(call.Quick(ctx, move.Summary), try.Activity, try.Request)
		})
		if _, others := activities.BypassingOf(err); !others {
			return err
		}
		why = err
	}
}

// untilBehind tries a move while those hold it up who were asked to come behind the gateways, and
// ends with anything else that hinders it.
func untilBehind(ctx workflow.Context, move call.Action) workflow.Future {
	outcome, settable := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, move.Summary, func(ctx workflow.Context) {
		for limit := call.QuickTimeout; ; limit = min(2*limit, call.LongestTries) {
			try := workflow.ExecuteActivity(call.UntilAway(call.Within(ctx, limit, move.Summary)), move.Activity,
				move.Request)
			if err := try.Get(ctx, nil); !activities.StillBypassed(err) || ctx.Err() != nil {
				settable.Chain(try)
				return
			}
		}
	})
	return outcome
}

// behindAsked is the question for applications that bypass the gateways.
func (m *Mover) behindAsked(
	at activities.Gateway, why error, groups, topics api.Names,
) api.Waiting {
	who := "all applications"
	if _, told := activities.BypassingOf(why); told {
		who = "these applications"
	}
	return api.Waiting{
		Kind: api.WaitingRelease, Gate: api.BypassingGate, Groups: groups, Topics: topics,
		To: api.Source, NameServers: []string{at.NameServer},
		Text: fmt.Sprintf("re-point %s to the gateway (name server %s): %s", who, at.NameServer,
			call.RootMessage(why)),
	}
}

// Telling is a move by gateways that ends when others hold it up than those who were asked to come
// behind the gateways.
func Telling(move call.Action, asked activities.Bypassing) call.Action {
	switch request := move.Request.(type) {
	case activities.GroupsRequest:
		request.Asked = &asked
		move.Request = request
	case activities.HomesRequest:
		request.Asked = &asked
		move.Request = request
	}
	return move
}

// ByGateway makes gateways move something, however long it takes. While the target doesn't answer
// it can't be done: gateways prove each move on both sides. Then the page says so.
func (m *Mover) ByGateway(ctx workflow.Context, move call.Action) error {
	if !change.Made(ctx, change.Behind) {
		return move.Run(call.Quick(ctx, move.Summary))
	}
	var returns *activities.Returns
	done := func() {}
	defer func() { done() }()
	say := func(format string, args ...any) {
		done()
		done = m.Wait(ctx, api.Waiting{
			Kind: api.WaitingGate, Gate: api.TargetGate, Text: fmt.Sprintf(format, args...),
		})
	}
	if change.Made(ctx, change.Bypassed) {
		move = Telling(move, activities.Bypassing{})
	}
	for limit := call.QuickTimeout; ; limit = min(2*limit, call.LongestTries) {
		options := call.Within(ctx, limit, move.Summary)
		if limit > call.QuickTimeout { // a long try must not hide it
			options = call.UntilAway(options)
		}
		err := move.Run(options)
		if _, bypassed := activities.BypassingOf(err); bypassed {
			done()
			done = func() {}
			err = m.AskBehind(ctx, move, err, api.Names{}, api.Names{})
		}
		switch {
		case err == nil || ctx.Err() != nil || call.Lasts(err):
			return err
		case !call.IsAway(err):
			say("%s: not done yet: %s; it goes on by itself", move.Summary, call.RootMessage(err))
			continue
		}
		say("the target doesn't answer: start its brokers. Gateways can't do this without it: %s; "+
			"what is on the source goes on meanwhile", move.Summary)
		if err := workflow.ExecuteActivity(call.Quick(ctx, "the target answers again"),
			returns.AwaitTarget, m.Request()).Get(ctx, nil); err != nil {
			return err
		}
	}
}
