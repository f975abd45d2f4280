package activities

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
)

// waitTimeout and oldTimeout are the time-outs that workflows give waits, and those that are older
// than an hour (workflows.waitTimeout and so on).
const (
	waitTimeout = 12 * time.Minute
	oldTimeout  = 47 * time.Minute
)

func notReadyCause(t *testing.T) *temporal.ApplicationError {
	t.Helper()
	var cause *temporal.ApplicationError
	require.ErrorAs(t, asTemporal(fault.NotReady("not yet")), &cause)
	return cause
}

// A day of waiting costs few attempts: each lasts as long as the wait already did, up to ten
// minutes.
func TestAttemptsGetLongerWithTheAgeOfAWait(t *testing.T) {
	begin := time.Unix(1_790_000_000, 0)
	info := activity.Info{ScheduledTime: begin, StartToCloseTimeout: waitTimeout}
	var lengths []time.Duration
	now := begin
	for info.Attempt = 1; now.Sub(begin) < 24*time.Hour; info.Attempt++ {
		lengths = append(lengths, attemptTime(info, now))
		now = now.Add(lengths[len(lengths)-1] + fault.PollAgain)
	}
	assert.Equal(t, shortAttempt, lengths[0])
	assert.Equal(t, shortAttempt, lengths[firstAttempts-1], "people see soon what is waited for")
	assert.InDelta(t, 20*time.Second, lengths[firstAttempts], float64(time.Second))
	assert.Equal(t, 10*time.Minute, lengths[len(lengths)-1])
	assert.Less(t, len(lengths), 160, "actions of the first day")
	assert.LessOrEqual(t, lengths[len(lengths)-1]+lookTime, waitTimeout, "the last look has its time")
	for i := 1; i < len(lengths); i++ {
		assert.GreaterOrEqual(t, lengths[i], lengths[i-1])
	}

	old := activity.Info{ScheduledTime: begin, StartToCloseTimeout: oldTimeout, Attempt: 100}
	assert.Equal(t, 45*time.Minute, attemptTime(old, now))
	fenced := activity.Info{ScheduledTime: begin, StartToCloseTimeout: lookTime, Attempt: 100}
	assert.Equal(t, longAttempt, attemptTime(fenced, now), "under a fence, and of older workflows")
}

func TestLooksGetRarerUnlessSomebodyIsRefused(t *testing.T) {
	cause := notReadyCause(t)
	for _, c := range []struct {
		age                  time.Duration
		patient, urgent, has time.Duration // has: groups are fenced while the target answers
	}{
		{0, lookAgain, lookAgain, lookAgain},
		{-time.Minute, lookAgain, lookAgain, lookAgain}, // clocks differ
		{time.Minute, time.Second, lookAgain, time.Second},
		{10 * time.Minute, 10 * time.Second, lookAgain, fault.ReachAgain},
		{time.Hour, time.Minute, lookAgain, fault.ReachAgain},
		{30 * 24 * time.Hour, time.Minute, lookAgain, fault.ReachAgain},
	} {
		assert.Equal(t, c.patient, waiting{}.pause(cause, c.age), "after %s", c.age)
		assert.Equal(t, c.urgent, waiting{urgent: true, away: time.Minute}.pause(cause, c.age), "after %s", c.age)
		assert.Equal(t, c.has, waiting{away: time.Minute}.pause(cause, c.age), "after %s", c.age)
	}
	var down *temporal.ApplicationError
	require.ErrorAs(t, asTemporal(fault.Unreachable(api.Target, nil, "away")), &down)
	assert.Equal(t, fault.ReachAgain, waiting{urgent: true}.pause(down, 0), "a side that is down isn't hammered")
}

func TestAWaitEndsItsAttemptWhenTheCauseIsAnother(t *testing.T) {
	looks := 0
	err := inActivity(t, nil, func(ctx context.Context) error {
		return waiting{}.until(ctx, func() error {
			if looks++; looks < 3 {
				return fault.NotReady("2 members left")
			}
			return fault.Unreachable(api.Target, nil, "the target doesn't answer")
		})
	})
	assert.Equal(t, TargetUnreachableType, typeOf(err), "people see it at once")
	assert.Equal(t, 3, looks)
}

// The budget of groups that are fenced while the target is dead counts from its last answer.
func TestATargetThatDiesLateInAWaitHasItsWholePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var died, ended time.Time
		err := inActivity(t, nil, func(ctx context.Context) error {
			err := waiting{away: time.Minute}.until(ctx, func() error {
				if time.Since(start) < 2*time.Second {
					return fault.NotReady("2 members left")
				}
				if died.IsZero() {
					died = time.Now()
				}
				return fault.Unreachable(api.Target, nil, "the target doesn't answer")
			})
			ended = time.Now()
			return err
		})
		assert.Equal(t, AwayType, typeOf(err))
		assert.InDelta(t, time.Minute, ended.Sub(died), float64(2*fault.ReachAgain))
	})
}

// beats runs a wait that isn't over within its attempt, and returns what it told the next one.
func beats(t *testing.T, w waiting, check func() error) (told int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment()
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { told++ })
		env.RegisterActivityWithOptions(func(ctx context.Context) error { return w.until(ctx, check) },
			activity.RegisterOptions{Name: "work"})
		_, err := env.ExecuteActivity("work")
		require.Error(t, err)
	})
	return told
}

func TestAWaitBeatsOnlyForNumbersThatTheNextAttemptNeeds(t *testing.T) {
	never := func() error { return fault.NotReady("not yet") }
	assert.Zero(t, beats(t, waiting{}, never), "it holds nothing")
	seen := stability.Set{"orders": {Reading: 7, Since: time.Now()}}
	assert.Equal(t, 1, beats(t, waiting{seen: seen, settle: time.Minute}, never),
		"the settle time is longer than an attempt")
	assert.Zero(t, beats(t, waiting{seen: seen, settle: shortAttempt / settleShare}, never),
		"to begin anew costs a tenth of the attempt")
}

func TestAWaitThatWasCancelledIsToldSoBeforeItWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		env := newEnvironment()
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { told++ })
		asked := map[string]error{}
		env.RegisterActivityWithOptions(func(ctx context.Context) error {
			for name, wanted := range map[string]func(context.Context) error{
				"not asked":    nil,
				"wanted":       func(context.Context) error { return nil },
				"unwanted":     func(context.Context) error { return ErrUnwanted },
				"nobody knows": func(context.Context) error { return errors.New("Temporal is away") },
			} {
				asked[name] = Settings{Wanted: wanted}.stillWanted(ctx, stability.Set{})
			}
			ctx, cancel := context.WithCancel(ctx)
			// as the worker's look, or the answer to a heartbeat, does it later
			late := Settings{Wanted: func(context.Context) error {
				time.AfterFunc(5*time.Second, cancel)
				return ErrUnwanted
			}}
			asked["told later"] = late.stillWanted(ctx, stability.Set{})
			asked["cancelled"] = Settings{}.stillWanted(ctx, stability.Set{})
			return nil
		}, activity.RegisterOptions{Name: "work"})
		_, err := env.ExecuteActivity("work")
		require.NoError(t, err)
		require.NoError(t, asked["not asked"])
		require.NoError(t, asked["wanted"])
		require.ErrorIs(t, asked["unwanted"], ErrUnwanted)
		assert.Equal(t, NotReadyType, typeOf(asked["nobody knows"]), "it looks again")
		require.ErrorIs(t, asked["told later"], context.Canceled)
		require.ErrorIs(t, asked["cancelled"], context.Canceled)
		assert.Positive(t, told, "the server's answer to a heartbeat says it too")
	})
}
