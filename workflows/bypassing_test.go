package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/moving"
)

// bypassers plays gateways that refuse moves while applications bypass them.
type bypassers struct {
	*workflowEnvironment
	at     activities.Gateway
	groups []string // that bypass gateways now
	topics []string
	dead   bool  // the target, since people were asked
	other  error // that hinders moves of homes and groups else
}

// refuses is what a move comes to, by whom people were asked for.
func (s *bypassers) refuses(asked *activities.Bypassing, groups, topics []string) error {
	switch {
	case len(groups)+len(topics) == 0:
		return nil
	case asked == nil:
		return notYet("applications bypass the gateways")
	}
	known := func(names []string, of api.Names) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(of.First(), n) })
	}
	if known(groups, asked.Groups) && known(topics, asked.Topics) {
		return temporal.NewApplicationErrorWithOptions("they still do", activities.BypassedType,
			temporal.ApplicationErrorOptions{NextRetryDelay: testDelay})
	}
	return temporal.NewApplicationErrorWithOptions("applications bypass the gateways: "+
		strings.Join(append(groups, topics...), " "), activities.BypassedType,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{activities.Bypassing{
			Groups: api.Some(append(asked.Groups.First(), groups...)...),
			Topics: api.Some(append(asked.Topics.First(), topics...)...),
		}}})
}

func newBypassers(t *testing.T) *bypassers {
	t.Helper()
	s := &bypassers{workflowEnvironment: newTheatre(t), at: activities.Gateway{NameServer: "10.0.0.7:9876"}}
	s.OnActivity("Entrance", anything, anything).Return(
		func(context.Context, activities.Request) (activities.Gateway, error) { return s.at, nil })
	move := func(name string, asked *activities.Bypassing, without bool, groups, topics []string) error {
		err := s.refuses(asked, groups, topics)
		switch {
		case s.dead && !without:
			return targetAway()
		case err == nil && s.other != nil && name != "authority":
			return s.other
		case without:
			name, err = name+" without the target", nil
		}
		if err == nil {
			s.note(name)
		}
		return err
	}
	s.OnActivity("MoveAuthority", anything, anything).Return(
		func(_ context.Context, r activities.GroupsRequest) error {
			return move("authority", r.Asked, r.WithoutTarget, s.groups, nil)
		})
	s.OnActivity("MoveHomes", anything, anything).Return(
		func(_ context.Context, r activities.HomesRequest) (activities.Homes, error) {
			name := "homes"
			if r.Nobody {
				name = "homes, and nobody writes to the target"
			}
			return activities.Homes{}, move(name, r.Asked, r.WithoutTarget, nil, s.topics)
		})
	s.OnActivity("MoveGroups", anything, anything).Return(
		func(_ context.Context, r activities.GroupsRequest) error {
			return move("groups "+allOr(r.All, r.Groups), r.Asked, r.WithoutTarget, s.groups, nil)
		})
	s.playGateway()
	s.playTraffic()
	return s
}

// moved is what was moved, in its order.
func (s *bypassers) moved() []string {
	return slices.DeleteFunc(s.called(), func(c string) bool {
		return !strings.HasPrefix(c, "authority") && !strings.HasPrefix(c, "homes") &&
			!strings.HasPrefix(c, "groups")
	})
}

// asks is the question for applications, if there is one.
func (s *bypassers) asks(t *testing.T) api.Waiting {
	t.Helper()
	for _, w := range s.statusNow(t).Waiting {
		if w.Kind == api.WaitingRelease {
			require.Equal(t, api.Source, w.To)
			require.Equal(t, []string{"10.0.0.7:9876"}, w.NameServers)
			return w
		}
	}
	return api.Waiting{}
}

// Nobody knows an inventory in a run that goes back at once: the gateways say whom to ask for.
func TestAWayBackAsksForExactlyThoseWhoBypassTheGateways(t *testing.T) {
	s := newBypassers(t)
	s.topics = []string{"payments"}
	s.RegisterDelayedCallback(func() {
		w := s.asks(t)
		require.Equal(t, []string{"payments"}, w.Topics.First())
		require.Zero(t, w.Groups.Len())
		require.Contains(t, w.Text, "applications bypass the gateways: payments")
		s.topics = []string{"orders"} // the one has returned, another one went
	}, 4*time.Second)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"payments", "orders"}, s.asks(t).Topics.First())
		s.topics, s.groups = nil, []string{"audit-group"}
	}, 20*time.Second)
	s.RegisterDelayedCallback(func() {
		w := s.asks(t)
		require.Equal(t, []string{"audit-group"}, w.Groups.First())
		require.Zero(t, w.Topics.Len())
		s.groups = nil
	}, 40*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{"authority", "homes", "groups all"}, s.moved())
	require.Equal(t, []string{"payments", "orders"}, got.Moved.Topics)
	require.Equal(t, []string{"audit-group"}, got.Moved.Groups)
}

// What hinders a move when all have returned is no question for them any more.
func TestAQuestionForApplicationsEndsWhenSomethingElseHinders(t *testing.T) {
	s := newBypassers(t)
	s.topics = []string{"orders"}
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"orders"}, s.asks(t).Topics.First())
		s.topics, s.other = nil, notYet("the lanes are behind")
	}, 4*time.Second)
	s.RegisterDelayedCallback(func() {
		w := s.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.Equal(t, api.WaitingGate, w[0].Kind)
		require.Contains(t, w[0].Text, "the lanes are behind")
		s.other = nil
	}, 5*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

// fromTheEnd is a way back after the end phase has asked applications to go to the target.
func fromTheEnd(t *testing.T) *bypassers {
	t.Helper()
	s := newBypassers(t)
	s.at.Authority = api.Target
	s.at.Groups = api.Some("audit-group", "orders-group")
	s.at.Topics = api.Some("orders")
	return s
}

// Applications that are on their way to the target are seen by no gateway. On real servers a way
// back ended while they were, and its lanes with it: they lost what was sent since.
func TestAWayBackFromTheEndPhaseFirstCallsBackWhoIsOnTheWay(t *testing.T) {
	s := fromTheEnd(t)
	s.RegisterDelayedCallback(func() {
		w := s.asks(t)
		require.Equal(t, []string{"audit-group", "orders-group"}, w.Groups.First())
		require.Equal(t, []string{"orders"}, w.Topics.First())
		require.Empty(t, s.moved(), "nothing moves before")
		s.update(api.ReleasedName, api.Released{By: "jenkins"})
	}, 30*time.Second)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, "authority", s.moved()[0])
	}, 32*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, []string{
		"authority", "homes, and nobody writes to the target", "groups [audit-group orders-group]",
	}, s.moved())
}

func TestAWayBackFromTheEndPhaseGoesOnWithoutAWord(t *testing.T) {
	s := fromTheEnd(t)
	s.groups = []string{"audit-group"}
	begin := s.Now()
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"audit-group"}, s.asks(t).Groups.First(), "those that are there")
		s.groups = nil
	}, moving.CallBackTime+time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.GreaterOrEqual(t, s.Now().Sub(begin), moving.CallBackTime)
}

// Whoever comes to the target while homes and groups return is asked for before the lanes end.
func TestAWayBackDoesNotEndWhileSomebodyWritesToTheTarget(t *testing.T) {
	s := fromTheEnd(t)
	s.topics = []string{"orders"}
	s.RegisterDelayedCallback(func() { s.update(api.ReleasedName, api.Released{By: "jenkins"}) }, time.Second)
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"orders"}, s.asks(t).Topics.First())
		require.Equal(t, []string{"authority"}, s.moved())
		s.topics = nil
	}, 10*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

// Nobody waits for people while the target is dead.
func TestATargetThatDiesWhileApplicationsAreAskedForIsDoneWithout(t *testing.T) {
	s := newBypassers(t)
	s.groups = []string{"audit-group"}
	var died time.Time
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"audit-group"}, s.asks(t).Groups.First())
		s.dead, died = true, s.Now()
	}, 10*time.Second)
	s.RegisterDelayedCallback(func() {
		plan := testPlan(t, byGateway).WithDefaults()
		require.Equal(t, []string{
			"authority without the target", "homes without the target", "groups all without the target",
		}, s.moved())
		require.Less(t, s.Now().Sub(died), 2*plan.Shift.FenceLimit())
		s.dead, s.groups = false, nil
	}, 100*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, byGateway)})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestAShiftAsksForMembersThatBypassTheGateways(t *testing.T) {
	s := newBypassers(t)
	s.groups = []string{"audit-group"}
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"audit-group"}, s.asks(t).Groups.First())
		s.groups = nil
	}, 4*time.Second)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
}

func TestAnEndPhaseAsksForMembersThatBypassTheGateways(t *testing.T) {
	s := newBypassers(t)
	s.groups = []string{"audit-group"}
	s.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"audit-group"}, s.asks(t).Groups.First())
		s.groups = nil
	}, 4*time.Second)
	s.ExecuteWorkflow(api.EndPhaseType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Equal(t, []string{"authority"}, s.moved())
}

// A refusal that lasts must not fill the history.
func TestAMoveByGatewaysThatWaitsForHoursIsTriedInEverLongerRounds(t *testing.T) {
	s := newTheatre(t)
	rounds, refused := 0, true
	s.OnActivity("MoveAuthority", anything, anything).Return(
		func(ctx context.Context, _ activities.GroupsRequest) error {
			if refused {
				if activity.GetInfo(ctx).Attempt == 1 {
					rounds++
				}
				return temporal.NewApplicationErrorWithOptions("a member allocates queues by their names",
					activities.NotReadyType,
					temporal.ApplicationErrorOptions{NextRetryDelay: time.Minute})
			}
			return nil
		})
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		require.Contains(t, s.statusNow(t).Waiting[0].Text, "a member allocates queues by their names")
		refused = false
	}, 6*time.Hour)
	s.ExecuteWorkflow(api.EndPhaseType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Less(t, rounds, 60, "of 180 that take two minutes each")
}

// reachedBy is a Shift that begins anew where an earlier run had come so far.
func reachedBy(t *testing.T, at activities.Reached) (*workflowEnvironment, api.Status) {
	t.Helper()
	s := newTheatre(t)
	s.OnActivity("Reached", anything, anything).Return(
		func(_ context.Context, r activities.ReachedRequest) (activities.Reached, error) {
			require.Equal(t, []int{50, 100}, r.Steps)
			require.Equal(t, []string{"orders", "payments"}, r.Topics.First())
			return at, nil
		})
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		s.update(api.ApproveName, api.Approval{Gate: api.ShiftGate(100), By: "alice"})
	}, time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, func(p *plan.Plan) {
		byGateway(p)
		if at.Authority != api.Target {
			p.Approvals = []plan.Gate{plan.GateShift}
		}
	}), Inventory: testInventory()})
	return s, s.result(t)
}

// Made again, step 50 % would take half of the homes back, which producers at the target refuse.
func TestAShiftThatIsStartedAnewAfterTheEndPhaseMovesNothing(t *testing.T) {
	s, got := reachedBy(t, activities.Reached{Step: 100, Authority: api.Target, Homes: 8})
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, []string{
		"Unfence@target", "OpenTopics orders@target", "Prepare", "ProveLanes",
	}, s.called())
	for _, w := range got.Waves {
		require.Equal(t, api.StageDone, w.State)
	}
	require.Contains(t, strings.Join(got.Notes, "\n"), "step 50% was made by an earlier run, and stands")
}

func TestAShiftThatIsStartedAnewGoesOnAtTheStepThatWasReached(t *testing.T) {
	s, got := reachedBy(t, activities.Reached{Step: 100, Authority: api.Source, Homes: 8})
	require.Equal(t, api.StateDone, got.State)
	require.NotContains(t, s.called(), "MoveHomes [orders payments] 50")
	requireOrder(t, s.called(), "MoveGroups [audit-group orders-group]@target", // one may be new
		"MoveGroups [payments-group]@target", "MoveHomes [orders payments] 100")
	require.Equal(t, api.ShiftGate(100), got.Approvals[0].Gate)
	require.Len(t, got.Approvals, 1)
}
