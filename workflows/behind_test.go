package workflows

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
)

func TestAWayBackFromTheEndPhaseAsksApplicationsToReturnBehindTheGateways(t *testing.T) {
	s := newTheatre(t)
	past := true
	s.OnActivity("MoveAuthority", anything,
		anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		s.note("MoveAuthority@" + string(r.Side))
		if past {
			return notYet("group orders-group has 1 members that are connected to the target")
		}
		return nil
	})
	s.OnActivity("Entrance", anything, anything).Return(activities.Gateway{
		NameServer: "10.0.0.7:9876",
	}, nil)
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Equal(t, api.WaitingRelease, w[0].Kind)
		require.Equal(t, api.Source, w[0].To)
		require.Equal(t, []string{"10.0.0.7:9876"}, w[0].NameServers)
		require.Contains(t, w[0].Text, "has 1 members that are connected to the target")
		require.Equal(t, []string{"audit-group", "orders-group", "payments-group"}, w[0].Groups.First())
		past = false
	}, time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{"orders", "payments"}, got.Moved.Topics)
	requireOrder(t, s.called(), "MoveAuthority@source", "MoveHomes all 0")
}

func TestAShiftByGatewaysWaitsForADeadTargetAndThePageSaysSo(t *testing.T) {
	s := newTheatre(t)
	dead := true
	away := func() error {
		if dead {
			return targetAway()
		}
		return nil
	}
	s.OnActivity("MoveHomes", anything,
		anything).Return(func(context.Context, activities.HomesRequest) (activities.Homes, error) {
		return activities.Homes{}, away()
	})
	s.OnActivity("AwaitTarget", anything,
		anything).Return(func(context.Context, activities.Request) error { return away() })
	s.playGateway()
	s.playTraffic()
	seen := false
	s.RegisterDelayedCallback(func() {
		for _, w := range s.statusNow(t).Waiting {
			seen = seen || w.Gate == "target" && strings.Contains(w.Text, "start its brokers")
		}
		dead = false
	}, 90*time.Second)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.True(t, seen)
}
