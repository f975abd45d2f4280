package workflows

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/moving"
	"rocketshift/workflows/stage"
)

// goesBack plays a Rollback of a group that was asked to move, and of nothing that is on the target
// yet.
func goesBack(t *testing.T) *workflowEnvironment {
	t.Helper()
	s := newTheatre(t)
	s.OnActivity("Survey", anything, anything).
		Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
	return s
}

// asks returns the questions for applications that are open now.
func (s *workflowEnvironment) asks(t *testing.T) (texts []string) {
	t.Helper()
	for _, w := range s.statusNow(t).Waiting {
		if w.Kind == api.WaitingRelease {
			texts = append(texts, w.Text)
		}
	}
	return texts
}

// A group whose release to the target is under way has no member there yet when the way back looks.
// Before, the way back ended at once, and the group stood at the closed target for good.
func TestAGroupThatArrivesAtTheTargetLateIsCalledBack(t *testing.T) {
	s := goesBack(t)
	begin := s.Now()
	arrives, leaves := begin.Add(20*time.Second), begin.Add(3*time.Minute)
	s.OnActivity("AwaitMembers", anything, anything).
		Return(func(context.Context, activities.AwaitMoveRequest) ([]activities.Members, error) {
			if now := s.Now(); now.After(arrives) && now.Before(leaves) {
				return nil, notYet("1 member reads the target")
			}
			return nil, nil
		})
	s.playTraffic()
	var asked []string
	s.RegisterDelayedCallback(func() { asked = s.asks(t) }, 2*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Len(t, asked, 1)
	require.Contains(t, asked[0], "re-point the applications of 1 groups to the source")
	require.False(t, s.Now().Before(leaves), "it ends when nobody reads the target")
}

// A group that was asked to move and whose members still wait on the source is opened there before
// anything else. Before, that forgot it: nobody had arrived at the target yet, and nobody looked
// again.
func TestAGroupThatIsFreedFirstIsCalledBack(t *testing.T) {
	s := newTheatre(t)
	group := api.Some("orders-group")
	freed := activities.Stranded{Asked: []string{"orders-group"}}
	s.OnActivity("Stranded", anything, anything).Return(freed, nil)
	forgotten := false
	s.OnActivity("Forget", anything, anything).
		Return(func(context.Context, activities.GroupsRequest) error {
			forgotten = true
			return nil
		})
	s.OnActivity("Survey", anything, anything).
		Return(func(context.Context, activities.SurveyRequest) (activities.Survey, error) {
			if forgotten {
				return activities.Survey{}, nil
			}
			return activities.Survey{OpenedGroups: group}, nil
		})
	begin := s.Now()
	arrives, leaves := begin.Add(20*time.Second), begin.Add(3*time.Minute)
	s.OnActivity("AwaitMembers", anything, anything).
		Return(func(context.Context, activities.AwaitMoveRequest) ([]activities.Members, error) {
			if now := s.Now(); now.After(arrives) && now.Before(leaves) {
				return nil, notYet("1 member reads the target")
			}
			return nil, nil
		})
	s.playTraffic()
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.True(t, forgotten)
	require.False(t, s.Now().Before(leaves), "it ends when nobody reads the target")
}

// Before, a target that died while members were to leave it was waited for without a word: nobody
// could say that it is lost.
func TestATargetThatDiesWhileApplicationsReturnIsToldAndWaitedFor(t *testing.T) {
	s := goesBack(t)
	dead := true
	s.OnActivity("AwaitMembers", anything, anything).
		Return(func(ctx context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
			switch {
			case dead && r.Away == 0:
				return nil, stillAway(ctx)
			case dead:
				return nil, targetAway()
			}
			return nil, nil
		})
	s.OnActivity("AwaitTarget", anything, anything).
		Return(func(ctx context.Context, _ activities.Request) error {
			if dead {
				return stillAway(ctx)
			}
			return nil
		})
	s.playTraffic()
	var gates []string
	s.RegisterDelayedCallback(func() {
		for _, w := range s.statusNow(t).Waiting {
			gates = append(gates, w.Gate)
		}
		dead = false
	}, 4*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Contains(t, gates, "target")
}

func TestAWayBackGoesOnWhenNothingIsUnderWay(t *testing.T) {
	s := goesBack(t)
	s.playTraffic()
	begin := s.Now()
	s.RegisterDelayedCallback(func() {
		require.Contains(t, strings.Join(s.asks(t), ""), "say released when none is under way")
		s.update(api.ReleasedName, api.Released{By: "ci"})
	}, 5*time.Second)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Less(t, s.Now().Sub(begin), moving.CallBackTime, "the word is enough")
}

// What producers write on the target after the lanes have ended nobody brings back.
func TestProducersThatWereAskedToMoveAreCalledBack(t *testing.T) {
	s := goesBack(t)
	begin := s.Now()
	arrives, leaves := begin.Add(20*time.Second), begin.Add(3*time.Minute)
	var last time.Time
	s.OnActivity("AwaitQuiet", anything, anything).
		Return(func(_ context.Context, r activities.AwaitMoveRequest) error {
			require.Equal(t, api.Target, r.From)
			if now := s.Now(); now.After(arrives) && now.Before(leaves) {
				return notYet("producers write on the target")
			}
			return nil
		})
	s.OnActivity("Pending", anything, anything).
		Return(func(context.Context, activities.Request) (api.Ledger, error) {
			last = s.Now()
			return api.Ledger{}, nil
		})
	s.playTraffic()
	var asked string
	s.RegisterDelayedCallback(func() { asked = strings.Join(s.asks(t), "\n") }, 2*time.Minute)
	s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{
		Plan: testPlan(t, nil), AskedIn: []api.Names{api.Some("orders")},
	})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.Contains(t, asked, "re-point the producers of 1 topics to the source")
	require.False(t, last.Before(leaves), "what they wrote there is still brought back")
}

// A Shift that is tried again starts its table anew, and may fail before it comes as far as the
// one before.
func TestAMigrationKnowsWhatAllItsShiftsHaveBegun(t *testing.T) {
	tries := 0
	var told api.MigrationInput
	s := newMigration(t, map[string]stageFunc{
		api.ShiftType: func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			d, err := stage.New(ctx, api.ShiftType, in)
			if err != nil {
				return api.Status{}, err
			}
			return d.Execute(ctx, func(ctx workflow.Context) error {
				if tries++; tries > 1 {
					return temporal.NewNonRetryableApplicationError("the target isn't known", "No", nil)
				}
				d.Status.Waves = []api.WaveStatus{
					{
						Step:   50,
						State:  api.WaveSoak,
						Topics: api.Some("orders"),
						Groups: api.Some("orders-group"),
						Closed: api.Collected{Named: []string{"audit-group"}},
					},
					{
						Step:   100,
						State:  api.WaveGroups,
						Topics: api.Some("payments"),
						Groups: api.Some("payments-group"),
					},
				}
				d.Publish(ctx)
				_ = workflow.Sleep(ctx, time.Second)
				return temporal.NewNonRetryableApplicationError("a broker is down", "No", nil)
			})
		},
		api.RollbackType: func(_ workflow.Context, in api.MigrationInput) (api.Status, error) {
			told = in
			return api.Status{State: api.StateDone}, nil
		},
	})
	s.RegisterDelayedCallback(func() { s.update(api.ResumeName, api.Steering{By: "alice"}) }, time.Minute)
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, 2*time.Minute)
	s.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateRolledBack, s.result(t).State)
	require.Equal(t, 2, tries)
	require.Equal(t, []api.Names{api.Some("orders")}, told.AskedIn)
	require.Equal(t, []api.Names{api.Some("orders-group"), api.Some("payments-group")}, told.FencedIn)
	require.Equal(t, []string{"audit-group"}, told.Closed.Named)
}

func TestAMigrationKnowsWhoseProducersWereAskedToMove(t *testing.T) {
	step := func(state, topic string) api.WaveStatus { return api.WaveStatus{State: state, Topics: api.Some(topic)} }
	got := moving.AskedToMove(api.Status{Waves: []api.WaveStatus{
		step(api.StageDone, "a"),
		step(api.WaveSoak, "b"), step(api.WaveProducers, "c"), step(api.WaveGroups, "d"), step(api.StagePending, "e"),
	}})
	require.Equal(t, []api.Names{api.Some("a"), api.Some("b"), api.Some("c")}, got)
}
