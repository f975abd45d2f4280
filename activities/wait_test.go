package activities

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
)

// newEnvironment is Temporal's environment for one activity, without its log: the tests say what
// matters.
func newEnvironment() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	return suite.NewTestActivityEnvironment()
}

// inActivity runs work as an activity, so that heartbeats and attempts exist.
func inActivity(t *testing.T, details any, work func(context.Context) error) error {
	t.Helper()
	env := newEnvironment()
	env.RegisterActivityWithOptions(work, activity.RegisterOptions{Name: "work"})
	if details != nil {
		env.SetHeartbeatDetails(details)
	}
	_, err := env.ExecuteActivity("work")
	return err
}

func TestPollLooksAgainUntilReady(t *testing.T) {
	looks := 0
	err := inActivity(t, nil, func(ctx context.Context) error {
		return poll(ctx, func() error {
			if looks++; looks < 3 {
				return fault.NotReady("look %d", looks)
			}
			return nil
		})
	})
	require.NoError(t, err)
	assert.Equal(t, 3, looks)
}

func TestPollEndsAtOnceOnAnythingElseThanNotReady(t *testing.T) {
	looks := 0
	err := inActivity(t, nil, func(ctx context.Context) error {
		return poll(ctx, func() error { looks++; return fault.Conflict("topic orders: exists") })
	})
	assert.Equal(t, ConflictType, typeOf(err))
	assert.Equal(t, 1, looks)
}

func TestPollGivesTheLastReasonToTemporal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock moves only while all wait
		start := time.Now()
		err := inActivity(t, nil, func(ctx context.Context) error {
			return poll(ctx, func() error { return fault.NotReady("lag is 5000, wanted is below 100") })
		})
		assert.Equal(t, NotReadyType, typeOf(err))
		assert.ErrorContains(t, err, "lag is 5000")
		assert.LessOrEqual(t, time.Since(start), shortAttempt+lookAgain,
			"an attempt is short, so that people see the reason")
	})
}

func TestPollEndsWhenCancelled(t *testing.T) {
	var got error
	_ = inActivity(t, nil, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		got = poll(ctx, func() error { cancel(); return fault.NotReady("not yet") })
		return nil
	})
	assert.ErrorIs(t, got, context.Canceled)
}

func typeOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(asTemporal(err), &app) {
		return app.Type()
	}
	return ""
}

func TestWatchGoesOnWhereTheAttemptBeforeWas(t *testing.T) {
	since := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	var stood time.Duration
	require.NoError(
		t,
		inActivity(t, stability.Set{"orders": {Reading: 7, Since: since}}, func(ctx context.Context) error {
			stood = resumedStabilities(ctx).Stands("orders", 7, since.Add(time.Hour))
			return nil
		}),
	)
	assert.Equal(t, time.Hour, stood)
}

func TestWatchStartsAnewOnForeignDetails(t *testing.T) {
	var w stability.Set
	require.NoError(t, inActivity(t, "something else", func(ctx context.Context) error {
		w = resumedStabilities(ctx)
		return nil
	}))
	assert.Equal(t, stability.Set{}, w)
}

func TestEveryRepeatsUntilTheContextEnds(t *testing.T) {
	rounds := 0
	var got error
	_ = inActivity(t, nil, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		got = every(ctx, time.Millisecond, func() error {
			if rounds++; rounds == 3 {
				cancel()
			}
			return nil
		})
		return nil
	})
	assert.ErrorIs(t, got, context.Canceled)
	assert.GreaterOrEqual(t, rounds, 3)
}

func TestATargetThatStaysAwayEndsAWaitUnderAFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := fault.Unreachable(api.Target, nil, "the target at 10.0.0.1:9876 doesn't answer")
		start, looks := time.Now(), 0
		err := inActivity(t, nil, func(ctx context.Context) error {
			return unlessAway(ctx, time.Minute, func() error { looks++; return away })
		})
		assert.Equal(t, AwayType, typeOf(err))
		assert.ErrorContains(t, err, "10.0.0.1:9876 doesn't answer")
		assert.InDelta(t, time.Minute, time.Since(start), float64(fault.ReachAgain))
		assert.Greater(t, looks, 10, "it is looked for again and again")
		denied := fault.Of(api.Target, fault.AccessDenied(nil, "the target refuses the credentials"))
		err = inActivity(t, nil, func(ctx context.Context) error {
			return unlessAway(ctx, time.Minute, func() error { return denied })
		})
		assert.Equal(t, AwayType, typeOf(err), "who is refused gets as little as who isn't answered")
		for name, c := range map[string]struct {
			away time.Duration
			err  error
		}{
			"nothing is fenced":           {0, away},
			"the source is away":          {time.Minute, fault.Unreachable(api.Source, nil, "away")},
			"the source refuses":          {time.Minute, fault.Of(api.Source, fault.AccessDenied(nil, "refused"))},
			"the target answers: not yet": {time.Minute, fault.NotReady("2 members left")},
		} {
			err := inActivity(t, nil, func(ctx context.Context) error {
				return unlessAway(ctx, c.away, func() error { return c.err })
			})
			assert.Equal(t, typeOf(c.err), typeOf(err), name)
		}
	})
}
