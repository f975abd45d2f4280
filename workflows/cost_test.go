package workflows

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

const (
	day = 24 * time.Hour
	// forWaits is what is left of 1,000 actions a day beside four shards of lanes (180 each, by a
	// heartbeat of ten minutes) and the positions (60).
	forWaits = 1000 - 4*180 - 60
)

// bill counts what a workflow costs: by what it commands, and by the options of what is pending.
type bill struct {
	mu      sync.Mutex
	pending map[string]activity.Info
	begun   int // activities and timers
}

// account begins to count.
func (s *workflowEnvironment) account() *bill {
	b := &bill{pending: map[string]activity.Info{}}
	s.SetOnActivityStartedListener(func(
		of *activity.Info, _ context.Context, _ converter.EncodedValues,
	) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if of.Attempt == 1 {
			b.begun++
		}
		b.pending[of.ActivityID] = *of
	})
	end := func(of *activity.Info) {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.pending, of.ActivityID)
	}
	s.SetOnActivityCompletedListener(
		func(of *activity.Info, _ converter.EncodedValue, _ error) { end(of) })
	s.SetOnActivityCanceledListener(end)
	s.SetOnTimerScheduledListener(func(string, time.Duration) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.begun++
	})
	return b
}

// commands is how many activities and timers there have been.
func (b *bill) commands() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
}

// attempts is what a day of all that is pending costs: attempts in their steady length, and
// heartbeats, of which the SDK sends one in 0.8 of the time-out.
func (b *bill) attempts() (actions int, of []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.pending {
		steady := max(a.StartToCloseTimeout-2*time.Minute, 15*time.Second) // activities.attemptTime
		actions += int(day / (steady + time.Second))
		if a.HeartbeatTimeout > 0 {
			actions += int(day / (a.HeartbeatTimeout * 4 / 5))
		}
		of = append(of, a.ActivityType.Name)
	}
	return actions, of
}

// stillWaits is what a wait says that isn't over. The test environment makes ten tries of an
// activity.
func stillWaits(ctx context.Context) error {
	pause := 6 * time.Hour
	// without a limit the environment has one of days
	pause = min(pause, activity.GetInfo(ctx).ScheduleToCloseTimeout/4)
	return againIn(pause)
}

func againIn(pause time.Duration) error {
	return temporal.NewApplicationErrorWithOptions("not yet", activities.NotReadyType,
		temporal.ApplicationErrorOptions{NextRetryDelay: pause})
}

// stayWaiting plays activities that wait for somebody who doesn't come.
func (s *workflowEnvironment) stayWaiting(on string) {
	var play any
	switch on {
	case "AwaitMembers":
		play = func(ctx context.Context, _ activities.AwaitMoveRequest) ([]activities.Members, error) {
			return nil, stillWaits(ctx)
		}
	case "MoveOrdered":
		s.OnActivity("AwaitOrdered", anything, anything).Return(
			func(ctx context.Context, _ activities.AwaitMoveRequest) (activities.Quiet, error) {
				return activities.Quiet{}, stillWaits(ctx)
			})
		play = func(ctx context.Context, r activities.AwaitMoveRequest) (activities.OrderedMove, error) {
			of := activities.OrderedMove{Waiting: r.Topics.Len()}
			if r.Stay == 0 {
				return of, stillWaits(ctx)
			}
			if activity.GetInfo(ctx).Attempt == 1 {
				return of, againIn(r.Stay)
			}
			return of, nil
		}
	case "CheckWave":
		play = func(ctx context.Context, _ activities.WaveRequest) (api.WaveCheck, error) {
			return api.WaveCheck{}, stillWaits(ctx)
		}
	default:
		return
	}
	s.OnActivity(on, anything, anything).Return(play)
}

func TestAMigrationThatWaitsCostsLittle(t *testing.T) {
	for name, on := range map[string]string{
		"release asked for, groups fenced": "AwaitMembers",
		"ordered topics, producers stay":   "MoveOrdered",
		"soak held":                        "CheckWave",
		"open gate":                        "approval",
		"soak in doubt, by gateways":       "doubt",
	} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			s.stayWaiting(on)
			if on == "doubt" {
				s.soaks(silence)
				s.playGateway()
			}
			s.OnActivity("WatchTarget", anything, anything).Return(
				func(ctx context.Context, _ activities.WatchRequest) error { return stillWaits(ctx) })
			s.playTraffic()
			b := s.account()
			before := 0
			s.RegisterDelayedCallback(func() { before = b.commands() }, day)
			s.RegisterDelayedCallback(func() {
				if on != "CheckWave" {
					w := s.statusNow(t).Waiting
					require.Len(t, w, 1)
					require.WithinDuration(t, s.Now().Add(-2*day), w[0].Since, time.Minute)
				}
				attempts, of := b.attempts()
				// an activity and a timer each, and a word to the migration
				commands := (b.commands() - before) * 3 / 2
				t.Logf("%d commands; %d attempts and heartbeats of %v", commands, attempts, of)
				require.Equal(t, on != "doubt", slices.Contains(of, "WatchTarget"))
				require.LessOrEqual(t, commands+attempts, forWaits)
				s.CancelWorkflow()
			}, 2*day)
			s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
				Plan: testPlan(t, func(p *plan.Plan) {
					oneStep(p)
					switch on {
					case "approval":
						p.Approvals = []plan.Gate{plan.GateShift}
					case "doubt":
						byGateway(p)
					}
				}), Inventory: testInventory(),
			})
			require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
		})
	}
}
