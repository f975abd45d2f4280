package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

func byGateway(p *plan.Plan) {
	p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{"127.0.0.1:8089"}}
	p.Shift.Steps = []int{50, 100}
}

func allOr(all bool, names api.Names) string {
	if all {
		return "all"
	}
	return names.String()
}

// playGateway answers every activity of a gateway with success.
func (s *workflowEnvironment) playGateway() {
	s.OnActivity("Prepare", anything, anything).
		Return(func(context.Context, activities.PrepareRequest) (activities.Gateway, error) {
			s.note("Prepare")
			return activities.Gateway{NameServer: "127.0.0.1:9876", Clients: 3}, nil
		})
	s.OnActivity("ProveLanes", anything, anything).
		Return(func(context.Context, activities.Request) (activities.ProvedLanes, error) {
			s.note("ProveLanes")
			return activities.ProvedLanes{Lanes: 2}, nil
		})
	s.OnActivity("MoveGroups", anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		s.note(fmt.Sprintf("MoveGroups %v@%s", allOr(r.All, r.Groups), r.Side))
		return nil
	})
	s.OnActivity("MoveHomes", anything, anything).
		Return(func(_ context.Context, r activities.HomesRequest) (activities.Homes, error) {
			s.note(fmt.Sprintf("MoveHomes %v %d", allOr(r.All, r.Topics), r.Percent))
			return activities.Homes{}, nil
		})
	s.groupsStep("MoveAuthority", nil)
	s.OnActivity("Entrance", anything, anything).Return(activities.Gateway{NameServer: "127.0.0.1:9876"}, nil).Maybe()
	s.OnActivity("Owed", anything, anything).Return(activities.Owed{}, nil)
	s.OnActivity("MeasureShare", anything, anything).
		Return(func(_ context.Context, r activities.ShareRequest) (api.WaveCheck, error) {
			if r.Before == nil {
				return api.WaveCheck{SourcePuts: 10, Measured: time.Unix(1, 0)}, nil
			}
			return api.WaveCheck{SourcePuts: r.Before.SourcePuts, Share: 50, Measured: time.Unix(2, 0)}, nil
		})
	s.OnActivity("Reached", anything, anything).Return(activities.Reached{}, nil)
	s.OnActivity("BeginSoak", anything, anything).Return(time.Unix(1, 0), nil)
	s.OnActivity("JudgeSoak", anything, anything).Return(
		func(_ context.Context, r activities.SoakRequest) (api.WaveCheck, error) {
			return api.WaveCheck{Share: float64(r.Step), Measured: time.Unix(2, 0)}, nil
		})
	s.OnActivity("AwaitEmpty", anything, anything).Return(func(context.Context, activities.Request) error {
		s.note("AwaitEmpty")
		return nil
	})
}

func TestShiftByGatewayMovesGroupsThenHomesStepByStep(t *testing.T) {
	s := newTheatre(t)
	s.playGateway()
	s.playTraffic()
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{
		"Unfence@target", "OpenTopics orders@target", "Prepare", "ProveLanes",
		"ProveLanes", "MoveGroups [audit-group orders-group]@target",
		"MoveHomes [orders payments] 50",
		"ProveLanes", "MoveGroups [payments-group]@target", "MoveHomes [orders payments] 100",
	}, s.called())
	require.InDelta(t, 50, got.Waves[0].Check.Share, 0)
}

func TestEndPhaseMakesTheTargetTheAuthorityAndEndsWithNobodyBehindAGateway(t *testing.T) {
	s := newTheatre(t)
	s.playGateway()
	s.playTraffic()
	s.ExecuteWorkflow(api.EndPhaseType, api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{"MoveAuthority@target", "AwaitEmpty"}, s.called())
	require.Equal(t, []string{"audit-group", "orders-group", "payments-group"}, got.Moved.Groups)
}

func TestEndPhaseIsOfGatewaysOnly(t *testing.T) {
	s := newTheatre(t)
	s.ExecuteWorkflow(api.EndPhaseType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	require.ErrorContains(t, s.GetWorkflowError(), "only applications behind gateways have an end phase")
}

func TestEndPhaseWaitsForWhoIsLeftBehindAGateway(t *testing.T) {
	s := newTheatre(t)
	left := true
	s.OnActivity("AwaitEmpty", anything, anything).Return(func(context.Context, activities.Request) error {
		if left {
			return temporal.NewApplicationErrorWithOptions("1 clients are still behind the gateway", "NotReady",
				temporal.ApplicationErrorOptions{NextRetryDelay: 2 * time.Minute})
		}
		return nil
	})
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Equal(t, api.WaitingRelease, w[0].Kind)
		require.Equal(t, api.Target, w[0].To)
		require.Equal(t, []string{"127.0.0.1:9900"}, w[0].NameServers)
		left = false
	}, time.Minute)
	s.ExecuteWorkflow(api.EndPhaseType, api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
}

// A gateway that can't move a group yet holds the step, and a person may go back from there.
func TestShiftByGatewayGoesBackFromAMoveThatWaits(t *testing.T) {
	s := newTheatre(t)
	s.OnActivity("MoveGroups", anything, anything).Return(
		temporal.NewApplicationErrorWithOptions("group audit-group has 1 members past the gateway", "NotReady", temporal.ApplicationErrorOptions{NextRetryDelay: testDelay}),
	)
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	s.leftBehind(t)
	require.NotContains(t, s.called(), "MoveHomes [orders payments] 50")
}

func TestRollbackByGatewayReturnsAuthorityHomesAndGroups(t *testing.T) {
	s := newTheatre(t)
	s.playGateway()
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, []string{
		"Prepare", "MoveAuthority@source", "MoveHomes all 0", "MoveGroups all@source", "Pending", "Pending",
	}, s.called())
}

func TestNoHomeMovesWhereNoLaneRuns(t *testing.T) {
	s := newTheatre(t)
	proofs := 0
	s.OnActivity("ProveLanes", anything,
		anything).Return(func(context.Context, activities.Request) (activities.ProvedLanes, error) {
		if proofs++; proofs == 3 { // Replicate dies after the first step
			return activities.ProvedLanes{},
				temporal.NewApplicationErrorWithOptions("a message hasn't reached the other side",
					"NotReady",
					temporal.ApplicationErrorOptions{NextRetryDelay: 10 * time.Minute})
		}
		return activities.ProvedLanes{Lanes: 2}, nil
	})
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Contains(t, s.called(), "MoveHomes [orders payments] 50")
		require.NotContains(t, s.called(), "MoveGroups [payments-group]@target")
	}, 5*time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, func(p *plan.Plan) {
		byGateway(p)
		p.Shift.Soak = plan.Duration(time.Minute)
	}), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, 4, proofs)
}

// Gateways move a home when they know what the target has of it.
func TestAWayBackByGatewaysSaysWhatHindersIt(t *testing.T) {
	s := newTheatre(t)
	moved := false
	s.OnActivity("MoveHomes", anything,
		anything).Return(func(context.Context, activities.HomesRequest) (activities.Homes, error) {
		if !moved {
			return activities.Homes{}, notYet("gateway: the target doesn't answer")
		}
		return activities.Homes{}, nil
	})
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Equal(t, "target", w[0].Gate)
		require.Contains(t, w[0].Text, "step 3: all queues have their home on the source: "+
			"not done yet: gateway: the target doesn't answer; it goes on by itself")
		moved = true
	}, 10*time.Minute)
	s.ExecuteWorkflow(api.RollbackType,
		api.MigrationInput{Plan: testPlan(t, byGateway), Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
}
