package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/rollback"
)

// deadTarget plays gateways while the target is dead. They say what they were asked for without it.
type deadTarget struct {
	*workflowEnvironment
	dead      bool
	busy      bool    // moves fail, but not for the target
	answers   bool    // gateways reach the target, and the worker doesn't
	away      [3]bool // whether the authority, homes and groups are on the target
	authority api.Side
	back      time.Time // when the last of them was back
}

func newDeadTarget(t *testing.T) *deadTarget {
	t.Helper()
	s := &deadTarget{workflowEnvironment: newTheatre(t), dead: true, away: [3]bool{false, true, true}}
	move := func(i int, name string, without bool) error {
		switch {
		case !s.away[i]:
			return nil
		case without && s.answers:
			s.note("refused " + name)
			return targetAway()
		case s.busy:
			return notYet("another move is under way")
		case s.dead && !s.answers && !without:
			return targetAway()
		}
		if without {
			name += " without the target"
		}
		s.note(name)
		s.away[i], s.back = false, s.Now()
		return nil
	}
	s.OnActivity("Entrance", anything, anything).Return(
		func(context.Context, activities.Request) (activities.Gateway, error) {
			return activities.Gateway{NameServer: "10.0.0.7:9876", Authority: s.authority}, nil
		})
	s.OnActivity("MoveAuthority", anything, anything).Return(
		func(_ context.Context, r activities.GroupsRequest) error {
			return move(0, "authority", r.WithoutTarget)
		})
	s.OnActivity("MoveHomes", anything, anything).Return(
		func(_ context.Context, r activities.HomesRequest) (activities.Homes, error) {
			return activities.Homes{}, move(1, "homes", r.WithoutTarget)
		})
	s.OnActivity("MoveGroups", anything, anything).Return(
		func(_ context.Context, r activities.GroupsRequest) error {
			if !r.All {
				s.note("nobody reads the target " + r.Groups.String())
			}
			return move(2, "groups", r.WithoutTarget)
		})
	s.OnActivity("Owed", anything, anything).Return(
		func(_ context.Context, r activities.OwedRequest) (activities.Owed, error) {
			require.Equal(t, []string{"orders"}, r.Ordered.First())
			return activities.Owed{
				Queues: 2, Known: 7, Unknown: 1, First: []string{"orders broker-t/0, copied up to 40"},
				Ordered: []string{"orders"},
			}, nil
		})
	s.OnActivity("AwaitTarget", anything, anything).Return(func(ctx context.Context, _ activities.Request) error {
		if s.dead {
			return stillAway(ctx)
		}
		s.note("AwaitTarget")
		return nil
	})
	s.playGateway()
	s.playTraffic()
	return s
}

func (s *deadTarget) rollBack(t *testing.T) api.Status {
	t.Helper()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	return s.result(t)
}

// waitsFor are the words of what is waited for at the gate of the target.
func (s *deadTarget) waitsFor(t *testing.T) (text string) {
	t.Helper()
	for _, w := range s.statusNow(t).Waiting {
		if w.Gate == "target" {
			text += w.Text
		}
	}
	return text
}

func TestAWayBackByGatewaysEndsWithoutATargetThatIsGoneForGood(t *testing.T) {
	s := newDeadTarget(t)
	s.approveLost(t)
	got := s.rollBack(t)
	require.Equal(t, api.StateDone, got.State)
	require.Contains(t, strings.Join(got.Notes, "\n"), "the target is lost")
	require.Equal(t, "groups without the target", s.called()[len(s.called())-1])
}

func TestGatewaysReturnEverythingWithoutADeadTarget(t *testing.T) {
	s := newDeadTarget(t)
	begin := s.Now()
	var dead string
	s.RegisterDelayedCallback(func() {
		dead = s.waitsFor(t)
		s.dead = false
	}, 2*time.Minute)
	got := s.rollBack(t)
	require.Equal(t, api.StateDone, got.State)
	called := slices.DeleteFunc(s.called(), func(c string) bool { return c == "Prepare" })
	require.Equal(t, []string{
		"homes without the target", "groups without the target", "AwaitTarget", "Pending", "Pending",
	}, called, "and no approval is asked for")
	plan := testPlan(t, byGateway).WithDefaults()
	require.LessOrEqual(t, s.back.Sub(begin), plan.Shift.FenceLimit()+rollback.OneTry, "of the fence budget")
	require.GreaterOrEqual(t, s.back.Sub(begin), plan.Shift.FenceLimit()/2, "not at the first failure")
	for _, says := range []string{
		"start its brokers", "isn't copied yet: 7 messages", "orders broker-t/0, copied up to 40",
		"of ordered topics it comes after what is sent meanwhile: orders",
	} {
		require.Contains(t, dead, says)
	}
	notes := strings.Join(got.Notes, "\n")
	require.Contains(t, notes, "back on the source without it")
	require.Contains(t, notes, "may read again")
	require.Contains(t, notes, "7 messages")
}

// A target that dies later is waited for as long as one that was dead from the beginning. Before,
// the second try of a move had two minutes, whatever the fence budget is.
func TestATargetThatDiesInTheMiddleOfAWayBackIsNotWaitedForLonger(t *testing.T) {
	s := newDeadTarget(t)
	s.dead, s.busy = false, true
	begin := s.Now()
	const budget = 20 * time.Second
	short := testPlan(t, byGateway)
	short.Shift.FenceBudget = plan.Duration(budget)
	dies := begin.Add(budget + 5*time.Second) // the first try has ended
	s.RegisterDelayedCallback(func() { s.dead, s.busy = true, false }, dies.Sub(begin))
	s.RegisterDelayedCallback(func() { s.dead = false }, 10*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: short, Inventory: testInventory()})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Less(t, s.back.Sub(dies), budget+rollback.OneTry)
}

func TestAnAuthorityThatReturnedWithoutTheTargetLeavesNobodyThere(t *testing.T) {
	s := newDeadTarget(t)
	s.authority = api.Target
	var dead string
	s.RegisterDelayedCallback(func() {
		dead = s.waitsFor(t)
		s.dead = false
	}, 2*time.Minute)
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Equal(t, api.WaitingRelease, w[0].Kind)
		require.Equal(t, api.Source, w[0].To)
		require.Equal(t, []string{"10.0.0.7:9876"}, w[0].NameServers)
	}, 110*time.Second)
	got := s.rollBack(t)
	require.Equal(t, api.StateDone, got.State)
	require.Contains(t, dead, "re-point all applications to the gateway now")
	requireOrder(t, s.called(), "homes without the target",
		"groups without the target", "AwaitTarget",
		"nobody reads the target [audit-group orders-group payments-group]", "Pending")
}

// The worker doesn't reach the target, and the gateways do: they move everything as always.
func TestGatewaysThatReachTheTargetAskIt(t *testing.T) {
	s := newDeadTarget(t)
	s.answers = true
	s.RegisterDelayedCallback(func() { s.dead = false }, 2*time.Minute)
	got := s.rollBack(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{"homes", "groups"}, slices.DeleteFunc(s.called(),
		func(c string) bool { return c != "homes" && c != "groups" && !strings.Contains(c, "without") }))
}

// A target that answers in time is asked, and nothing returns without it.
func TestATargetThatIsBackInTimeIsAsked(t *testing.T) {
	s := newDeadTarget(t)
	s.RegisterDelayedCallback(func() { s.dead = false }, 15*time.Second)
	got := s.rollBack(t)
	require.Equal(t, api.StateDone, got.State)
	require.NotContains(t, strings.Join(s.called(), " "), "without the target")
	require.Empty(t, got.Notes)
}
