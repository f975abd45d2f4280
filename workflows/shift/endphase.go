package shift

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/moving"
	"rocketshift/workflows/stage"
)

// EndPhase follows Shift where applications are behind gateways: with everything on the target,
// releases point them there, an instance at a time and in any order. Members there and members
// behind gateways share queues meanwhile, as the target now says who they are. It ends when nobody
// is behind a gateway any more.
func EndPhase(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.EndPhaseType, in)
	if err != nil {
		return api.Status{}, err
	}
	s := &shift{Mover: moving.New(run)}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		if run.Plan.Traffic.Mode != plan.ModeGateway {
			return temporal.NewNonRetryableApplicationError(
				"traffic.mode is "+run.Plan.Traffic.Mode+": only applications behind gateways have an end phase",
				call.InvalidPlanType, nil,
			)
		}
		var inventory api.Inventory
		if err := run.Hears(ctx, func(ctx workflow.Context) (err error) {
			inventory, err = run.Inventory(ctx, in)
			return err
		}); err != nil {
			return err
		}
		return s.endPhase(ctx, inventory)
	})
}

func (s *shift) endPhase(ctx workflow.Context, inventory api.Inventory) error {
	groups, topics := inventory.Readers(), inventory.Topics()
	if err := s.Hears(ctx, s.findTarget); err != nil {
		return err
	}
	var gateways *activities.Gateways
	onTarget := activities.GroupsRequest{Request: s.Request(), Side: api.Target}
	if err := s.Step(ctx, func(ctx workflow.Context) error {
		s.Detail(ctx, "the target becomes the side that says who members are")
		move := call.New("the target says who members are", gateways.MoveAuthority, onTarget)
		if change.Made(ctx, change.Bypassed) {
			return s.ByGateway(ctx, move)
		}
		return move.Run(call.Quick(ctx, move.Summary))
	}); err != nil {
		return err
	}
	if err := s.Step(ctx, func(ctx workflow.Context) error {
		return s.awaitEmptyGateway(ctx, groups, topics)
	}); err != nil {
		return err
	}
	s.Detail(ctx, "nobody is behind a gateway any more")
	return nil
}

func (s *shift) awaitEmptyGateway(ctx workflow.Context, groups, topics api.Names) error {
	s.ForgetReleased()
	w := api.Waiting{
		Kind: api.WaitingRelease, Gate: api.GatewayGate, Groups: groups, Topics: topics,
		To: api.Target, NameServers: s.target.NameServers,
		Text: fmt.Sprintf(
			"re-point all applications to the target (name servers %s), an instance at a time, by ordinary "+
				"releases: nothing waits for it",
			lists.OrNone(s.target.NameServers),
		),
	}
	var gateways *activities.Gateways
	return s.AskRelease(ctx, w, []api.Names{{}}, func(
		ctx workflow.Context, _ api.Names, _ bool, _ []string,
	) workflow.Future {
		return call.WaitFor(ctx, 0, "clients leave the gateway", gateways.AwaitEmpty, s.Request())
	})
}
