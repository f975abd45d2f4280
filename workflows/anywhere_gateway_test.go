package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/rollback"
	"rocketshift/workflows/settle"
	"rocketshift/workflows/shift"
)

// newBehind plays clusters behind a gateway.
func newBehind(t *testing.T, at int, deed func(*anywhere)) *anywhere {
	t.Helper()
	a := &anywhere{
		workflowEnvironment: emptyTheatre(t), t: t, at: at, sides: map[string]api.Side{}, authority: api.Source,
	}
	a.deed = func() { deed(a) }
	for _, g := range testAssessment().Groups {
		a.sides[g.Name] = api.Source
	}
	a.playMoves()
	a.playGatewayLooks()
	a.playRest(map[string]stageFunc{
		api.ShiftType:    shift.Shift,
		api.EndPhaseType: shift.EndPhase,
		api.RollbackType: rollback.Rollback,
		api.FinalizeType: settle.Finalize,
	})
	return a
}

func (a *anywhere) playMoves() {
	unless := func(name string, without bool) error {
		if err := a.seen(name); err != nil || without {
			return err
		}
		return a.away()
	}
	a.OnActivity("MoveGroups", anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		if err := unless("MoveGroups@"+string(r.Side), r.WithoutTarget); err != nil {
			return err
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		names, _ := r.Groups.Inline()
		for name := range a.sides {
			if r.All || len(lists.Without([]string{name}, names)) == 0 {
				a.sides[name] = r.Side
			}
		}
		return nil
	})
	a.OnActivity("MoveHomes", anything, anything).
		Return(func(_ context.Context, r activities.HomesRequest) (activities.Homes, error) {
			if err := unless("MoveHomes", r.WithoutTarget); err != nil {
				return activities.Homes{}, err
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			a.homes = r.Percent
			return activities.Homes{}, nil
		})
	a.OnActivity("MoveAuthority", anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		if err := unless("MoveAuthority@"+string(r.Side), r.WithoutTarget); err != nil {
			return err
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.authority = r.Side
		return nil
	})
}

func (a *anywhere) playGatewayLooks() {
	at := func() activities.Gateway {
		a.mu.Lock()
		defer a.mu.Unlock()
		return activities.Gateway{NameServer: "127.0.0.1:9000", Homes: a.homes, Authority: a.authority}
	}
	a.OnActivity("Prepare", anything, anything).Return(
		func(context.Context, activities.PrepareRequest) (activities.Gateway, error) {
			return at(), a.seen("Prepare")
		})
	a.OnActivity("Entrance", anything, anything).Return(
		func(context.Context, activities.Request) (activities.Gateway, error) { return at(), a.seen("Entrance") })
	a.OnActivity("ProveLanes", anything, anything).Return(
		func(context.Context, activities.Request) (activities.ProvedLanes, error) {
			if err := a.seen("ProveLanes"); err != nil {
				return activities.ProvedLanes{}, err
			}
			return activities.ProvedLanes{}, a.away()
		})
	a.OnActivity("Reached", anything, anything).Return(
		func(context.Context, activities.ReachedRequest) (activities.Reached, error) {
			now := at()
			return activities.Reached{Step: now.Homes, Authority: now.Authority, Homes: now.Homes}, a.seen("Reached")
		})
	a.OnActivity("Survey", anything, anything).Return(
		func(context.Context, activities.SurveyRequest) (activities.Survey, error) {
			now := at()
			return activities.Survey{Homes: now.Homes, Authority: now.Authority}, a.seen("Survey")
		})
	a.OnActivity("BeginSoak", anything, anything).Return(
		func(context.Context, activities.SoakRequest) (time.Time, error) {
			return time.Unix(1, 0), a.seen("BeginSoak")
		})
	a.OnActivity("JudgeSoak", anything, anything).Return(
		func(context.Context, activities.SoakRequest) (api.WaveCheck, error) {
			return api.WaveCheck{TargetPuts: 1, Measured: time.Unix(1, 0)}, a.seen("JudgeSoak")
		})
	a.OnActivity("AwaitEmpty", anything, anything).Return(
		func(context.Context, activities.Request) error { return a.seen("AwaitEmpty") })
	a.OnActivity("Owed", anything, anything).Return(activities.Owed{}, nil)
}

// goesBehind plays a migration, and requires that it ends with everything on one side.
func (a *anywhere) goesBehind(back bool) {
	a.t.Helper()
	done, known := a.plays(back, testPlan(a.t, func(p *plan.Plan) { twoSteps(p); gateways(p) }))
	if !known {
		return
	}
	homes, side := 0, api.Source
	if done {
		homes, side = 100, api.Target
	}
	require.Equal(a.t, homes, a.homes)
	require.Equal(a.t, side, a.authority)
	for name, on := range a.sides {
		require.Equal(a.t, side, on, name)
	}
}

func TestLongEverythingEndsOnOneSideBehindGatewaysToo(t *testing.T) {
	everywhere(t, newBehind, (*anywhere).goesBehind)
}
