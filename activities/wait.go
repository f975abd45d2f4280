package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/sleep"
)

const (
	// lookAgain is the pause between two looks within one attempt.
	lookAgain = 250 * time.Millisecond
	// firstAttempts are short, so that people see at once what is waited for; the later ones are
	// long, as each costs an action.
	firstAttempts = 5
	shortAttempt  = 3 * time.Second
	// longAttempt is of activities with a short time-out: those under a fence, and those that older
	// workflows began.
	longAttempt = 15 * time.Second
	// beat is how often long activities say that they live; the SDK sends fewer.
	beat = time.Second
)

// poll is for waits under a fence: groups stand still until they are over.
func poll(ctx context.Context, check func() error) error {
	return waiting{urgent: true}.until(ctx, check)
}

// unlessAway looks until that answers otherwise than by a target that doesn't answer or refuses, or
// has done so for as long as away.
func unlessAway(ctx context.Context, away time.Duration, look func() error) error {
	begin := time.Now()
	for {
		err := asTemporal(look())
		var app *temporal.ApplicationError
		if away == 0 || FaultOf(err) != api.Target || !errors.As(err, &app) || app.NonRetryable() {
			return err
		}
		if time.Since(begin) >= away {
			return temporal.NewNonRetryableApplicationError(app.Message(), AwayType, err)
		}
		if err := sleep.For(ctx, fault.ReachAgain); err != nil {
			return err
		}
	}
}

// resumedStabilities is what the attempt before saw.
func resumedStabilities(ctx context.Context) stability.Set {
	w := stability.Set{}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &w); err != nil || w == nil {
			return stability.Set{}
		}
	}
	return w
}

// every calls do at once and then after each pause, until the context ends, the worker stops, or do
// fails.
func every(ctx context.Context, pause time.Duration, do func() error) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		if err := do(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return stopping()
		case <-ticker.C:
		}
	}
}

// stopping is how a long activity ends when its worker is shut down: the next worker goes on at
// once.
func stopping() error {
	return fault.NotReady("the worker stops; another one goes on from the checkpoint")
}

// beating beats at once and then each second until stop is called.
func beating(ctx context.Context, details func() any) (stop func()) {
	activity.RecordHeartbeat(ctx, details())
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx, details())
			}
		}
	}()
	return func() { close(done) }
}
