package workflows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/message"
	"rocketshift/workflows/rollback"
	"rocketshift/workflows/settle"
	"rocketshift/workflows/shift"
)

// group is where a group of the played clusters stands.
type group struct {
	shutSource, shutTarget bool
	marked                 bool // on the source
	onTarget               bool // its members
	nowhere                time.Time
}

// anywhere plays two clusters that remember what is done to them, and lets something be done at a
// call of an activity.
type anywhere struct {
	*workflowEnvironment
	t         *testing.T
	mu        sync.Mutex
	groups    map[string]*group
	producers map[string]bool // topics whose producers are on the target
	call, at  int             // calls so far; the one at which the deed is done
	calledAt  string
	deed      func()
	longest   time.Duration // for which a group was closed on both sides
	dead      bool          // the target doesn't answer

	// behind gateways
	homes     int // percent of the queues whose home is the target
	sides     map[string]api.Side
	authority api.Side
}

// seen counts a call. At its turn the deed is done, while the activity waits to be tried again.
func (a *anywhere) seen(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.call++
	if a.call != a.at {
		return nil
	}
	a.calledAt = name
	a.RegisterDelayedCallback(a.deed, time.Millisecond)
	return notYet("the deed is done meanwhile")
}

// set changes groups, and notes for how long they are closed on both sides.
func (a *anywhere) set(names api.Names, change func(*group)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, _ := names.Inline()
	for _, name := range all {
		g := a.groups[name]
		change(g)
		switch shut := g.shutSource && g.shutTarget; {
		case shut && g.nowhere.IsZero():
			g.nowhere = a.Now()
		case !shut && !g.nowhere.IsZero():
			a.longest, g.nowhere = max(a.longest, a.Now().Sub(g.nowhere)), time.Time{}
		}
	}
}

// which are the groups of which something is so, sorted.
func (a *anywhere) which(is func(*group) bool) (names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, g := range a.groups {
		if is(g) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (a *anywhere) away() error {
	if a.mu.Lock(); a.dead {
		defer a.mu.Unlock()
		return targetAway()
	}
	a.mu.Unlock()
	return nil
}

func newAnywhere(t *testing.T, at int, deed func(*anywhere)) *anywhere {
	t.Helper()
	a := &anywhere{
		workflowEnvironment: emptyTheatre(t), t: t, at: at, groups: map[string]*group{}, producers: map[string]bool{},
	}
	a.deed = func() { deed(a) }
	for _, g := range testAssessment().Groups {
		a.groups[g.Name] = &group{shutTarget: true}
	}
	a.playGroups()
	a.playLooks()
	a.playProducers()
	a.playRest(
		map[string]stageFunc{
			api.ShiftType:    shift.Shift,
			api.RollbackType: rollback.Rollback,
			api.FinalizeType: settle.Finalize,
		},
	)
	return a
}

// playRest plays the other stages and what both modes ask.
func (a *anywhere) playRest(stages map[string]stageFunc) {
	for _, name := range []string{api.AssessType, api.PurchaseType, api.ImportMetadataType, api.VerifyType} {
		stages[name] = a.aSecondOf(name) // a stage that has ended at once can't be signalled in the test environment
	}
	fillMigration(a.workflowEnvironment, stages)
	a.OnActivity("Ledger", anything, anything).Return(func(context.Context, activities.Request) (api.Ledger, error) {
		return api.Ledger{}, a.seen("Ledger")
	})
	a.OnActivity("AwaitTarget", anything, anything).Return(func(ctx context.Context, _ activities.Request) error {
		if err := a.seen("AwaitTarget"); err != nil {
			return err
		}
		if a.away() != nil {
			return stillAway(ctx)
		}
		return nil
	})
	a.playTraffic()
}

func (a *anywhere) aSecondOf(name string) stageFunc {
	return func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		if err := workflow.Sleep(ctx, time.Second); err != nil {
			return api.Status{}, err
		}
		return a.goodStage(name)(ctx, in)
	}
}

func (a *anywhere) playGroups() {
	open := func(name string, shut bool) {
		a.OnActivity(name, anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
			if err := a.seen(name + "@" + string(r.Side)); err != nil {
				return err
			}
			if r.Side == api.Target {
				if err := a.away(); err != nil {
					return err
				}
				a.set(r.Groups, func(g *group) { g.shutTarget = shut })
				return nil
			}
			a.set(r.Groups, func(g *group) { g.shutSource, g.marked = shut, g.marked || shut })
			return nil
		})
	}
	open("Fence", true)
	open("Unfence", false)
	a.OnActivity("Forget", anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		if err := a.seen("Forget"); err != nil {
			return err
		}
		a.set(r.Groups, func(g *group) { g.marked = g.shutSource })
		return nil
	})
	a.OnActivity("AwaitSettled", anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		return cmp.Or(a.seen("AwaitSettled@"+string(r.Side)), a.away())
	})
	a.OnActivity("Translate", anything, anything).Return(
		func(_ context.Context, r activities.GroupsRequest) ([]activities.GroupPositions, error) {
			return nil, cmp.Or(a.seen("Translate@"+string(r.Side)), a.away())
		})
	a.OnActivity("AwaitMembers", anything, anything).Return(
		func(_ context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
			if err := a.seen("AwaitMembers@" + string(r.From)); err != nil {
				return nil, err
			}
			if a.away() != nil && r.Away > 0 {
				return nil, stayedAway()
			}
			a.set(r.Groups, func(g *group) { g.onTarget = r.From == api.Source })
			return nil, nil
		})
	a.OnActivity("AwaitReturnable", anything, anything).Return(func(context.Context, activities.ReturnRequest) error {
		if err := a.seen("AwaitReturnable"); err != nil {
			return err
		}
		if a.away() != nil {
			return stayedAway()
		}
		return nil
	})
}

func (a *anywhere) playLooks() {
	a.OnActivity("Moved", anything, anything).
		Return(func(_ context.Context, r activities.GroupsRequest) ([]string, error) {
			if err := a.seen("Moved"); err != nil {
				return nil, err
			}
			return a.which(func(g *group) bool { return g.shutSource && !g.shutTarget }), a.away()
		})
	a.OnActivity("ClosedByOthers", anything, anything).
		Return(func(context.Context, activities.GroupsRequest) ([]string, error) {
			return nil, a.seen("ClosedByOthers")
		})
	a.OnActivity("Stranded", anything, anything).Return(
		func(context.Context, activities.SurveyRequest) (found activities.Stranded, err error) {
			if err := a.seen("Stranded"); err != nil {
				return found, err
			}
			found.Away = a.away() != nil
			found.Source = a.which(
				func(g *group) bool { return g.shutSource && (g.shutTarget || found.Away) && !g.onTarget },
			)
			found.Target = a.which(func(g *group) bool { return g.shutSource && g.shutTarget && g.onTarget })
			found.Asked = a.which(func(g *group) bool { return g.shutSource && !g.shutTarget && !g.onTarget })
			if found.Away {
				found.Asked, found.Target = nil, nil
			}
			return found, nil
		})
	a.OnActivity("Survey", anything, anything).Return(
		func(_ context.Context, r activities.SurveyRequest) (found activities.Survey, err error) {
			if err := a.seen("Survey"); err != nil {
				return found, err
			}
			found.FencedGroups = api.Some(a.which(func(g *group) bool { return g.shutSource && g.marked })...)
			found.OpenedGroups = api.Some(a.which(func(g *group) bool { return !g.shutSource && g.marked })...)
			if !r.SourceOnly && a.away() != nil {
				return activities.Survey{}, stayedAway()
			}
			if !r.SourceOnly {
				found.MovedTopics = api.Some(a.there()...)
			}
			return found, nil
		})
}

// there are the topics whose producers are on the target.
func (a *anywhere) there() (topics []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, on := range a.producers {
		if on {
			topics = append(topics, name)
		}
	}
	slices.Sort(topics)
	return topics
}

func (a *anywhere) playProducers() {
	move := func(name string) func(r activities.AwaitMoveRequest) error {
		return func(r activities.AwaitMoveRequest) error {
			if err := a.seen(name + "@" + string(r.From)); err != nil {
				return err
			}
			if a.away() != nil && r.Away > 0 {
				return stayedAway()
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			topics, _ := r.Topics.Inline()
			for _, topic := range topics {
				a.producers[topic] = r.From == api.Source
			}
			return nil
		}
	}
	quiet := move("AwaitQuiet")
	a.OnActivity("AwaitQuiet", anything, anything).Return(
		func(_ context.Context, r activities.AwaitMoveRequest) error { return quiet(r) })
	a.movesOrdered(move("MoveOrdered"))
}

// people resume what is held, twice an hour: nothing may wait for them closed.
func (a *anywhere) people() {
	for i := range 12 {
		a.RegisterDelayedCallback(func() {
			now := a.statusNow(a.t)
			if now.State == api.StateHeld &&
				slices.ContainsFunc(now.Waiting, func(w api.Waiting) bool { return w.Gate == api.ResumeName }) {
				a.update(api.ResumeName, api.Steering{By: "alice"})
			}
		}, time.Duration(i+1)*30*time.Minute)
	}
}

// plays plays a migration to its end. Known is false of one that ended without a look at what an
// earlier run had moved, as the docs say.
func (a *anywhere) plays(back bool, p plan.Plan) (done, known bool) {
	a.t.Helper()
	a.people()
	if back { // from where the first step stands
		a.RegisterDelayedCallback(func() { a.update(api.BackName, api.Steering{By: "alice"}) },
			time.Duration(p.Shift.Soak)+5*time.Second)
	}
	a.SetTestTimeout(20 * time.Second) // of real time without anything happening
	a.ExecuteWorkflow(api.MigrationType, api.MigrationInput{Plan: p})
	require.True(a.t, a.IsWorkflowCompleted())
	err := a.GetWorkflowError()
	if err != nil && strings.Contains(err.Error(), "nobody knows whether an earlier run moved anything") {
		require.NotContains(a.t, a.called(), "Assess")
		return false, false
	}
	if err != nil {
		require.True(a.t, temporal.IsCanceledError(err), "%v", err)
	}
	now := a.statusNow(a.t)
	require.Contains(a.t, []string{api.StateDone, api.StateRolledBack}, now.State, "%s", now.Error)
	if slices.Contains(a.called(), api.ReplicateType) {
		require.Contains(a.t, a.called(), "Replicate stopped")
	}
	return now.State == api.StateDone, true
}

// goes plays a migration, and requires that it ends with everything on one side.
func (a *anywhere) goes(back bool) {
	a.t.Helper()
	p := testPlan(a.t, twoSteps)
	done, known := a.plays(back, p)
	if !known {
		return
	}
	require.Empty(a.t, a.which(func(g *group) bool {
		return g.shutSource != done || g.shutTarget == done || g.onTarget != done || g.marked != done
	}), "all groups are on one side: %+v", a.groups)
	if !done {
		require.Empty(a.t, a.there(), "producers that are left on the target")
	}
	require.LessOrEqual(a.t, a.longest, p.Shift.FenceLimit()+call.QuickHeartbeat, "closed on both sides")
}

func twoSteps(p *plan.Plan) { p.Shift.Steps = []int{50, 100} }

// deedsAnywhere are what persons, operators and faults do to a migration.
func deedsAnywhere(t *testing.T) map[string]func(*anywhere) {
	steer := func(a *anywhere, name string) { a.update(name, api.Steering{By: "bob"}) }
	later := func(a *anywhere, do func()) { a.RegisterDelayedCallback(do, 3*time.Second) }
	stage := func(a *anywhere, name string) {
		a.CancelWorkflowByID(api.StageID(testPlan(t, nil), name), "")
	}
	return map[string]func(*anywhere){
		"back":       func(a *anywhere) { steer(a, api.BackName) },
		"back twice": func(a *anywhere) { steer(a, api.BackName); later(a, func() { steer(a, api.BackName) }) },
		"hold":       func(a *anywhere) { steer(a, api.HoldName) },
		"hold, back": func(a *anywhere) { steer(a, api.HoldName); later(a, func() { steer(a, api.BackName) }) },
		"cancel":     func(a *anywhere) { a.CancelWorkflow() },
		"back, cancel": func(a *anywhere) {
			steer(a, api.BackName)
			later(a, a.CancelWorkflow)
		},
		"cancel Shift":    func(a *anywhere) { stage(a, api.ShiftType) },
		"cancel Rollback": func(a *anywhere) { stage(a, api.RollbackType) },
		"stale signals": func(a *anywhere) {
			a.SignalWorkflow(api.ApproveName, api.Approval{Gate: "shift-7", By: "bob"})
			a.SignalWorkflow(api.ReleasedName, api.Released{By: "ci", Groups: []string{"nobody"}})
			a.SignalWorkflow(api.ResumeName, api.Steering{By: "bob"})
			a.SignalWorkflow(message.MissingSignal, message.Missing{Number: 1})
		},
		"target dies, back": func(a *anywhere) {
			a.mu.Lock()
			a.dead = true
			a.mu.Unlock()
			later(a, func() { steer(a, api.BackName) })
			a.RegisterDelayedCallback(func() {
				a.mu.Lock()
				a.dead = false
				a.mu.Unlock()
			}, 2*time.Hour)
		},
	}
}

// everywhere does each deed at each call of an activity, forward and on a way back.
func everywhere(
	t *testing.T, play func(*testing.T, int, func(*anywhere)) *anywhere, goes func(*anywhere, bool),
) {
	for _, back := range []bool{false, true} {
		calls := play(t, 0, nil)
		goes(calls, back)
		require.Equal(t, back, slices.Contains(calls.called(), "Pending"), "it goes back")
		for name, deed := range deedsAnywhere(t) {
			for at := 1; at <= calls.call; at++ {
				t.Run(fmt.Sprintf("%s at %d, way back %t", name, at, back), func(t *testing.T) {
					a := play(t, at, deed)
					defer func() { t.Logf("at %s", a.calledAt) }()
					goes(a, back)
				})
			}
		}
	}
}

// TestLongEverythingEndsOnOneSideWhateverIsDoneAtWhicheverActivity does each deed at each call of
// an activity that touches applications, forward and on a way back.
func TestLongEverythingEndsOnOneSideWhateverIsDoneAtWhicheverActivity(t *testing.T) {
	everywhere(t, newAnywhere, (*anywhere).goes)
}
