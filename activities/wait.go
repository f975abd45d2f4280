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

// A wait costs an action of Temporal for each attempt and for each heartbeat, and none for a look.
// So attempts get as long as the wait already is, up to what the activity's time-out allows; and
// looks get rarer with it, unless somebody stands still until the wait is over.
const (
	// lookTime is left of an activity's time-out for its last look: one that asks every broker of a
	// side a few times, of which some are down.
	lookTime = 2 * time.Minute
	// lookShare is the pause between two looks as a share of the wait so far: who waited for an
	// hour waits for a minute more at most.
	lookShare = 60
	// lookLater is the longest pause.
	lookLater = time.Minute
	// settleShare is how many settle times an attempt must have so that its last numbers need not
	// be told to the next: to begin anew costs a tenth of it then.
	settleShare = 10
)

// waiting is how an activity waits for what others bring: people, pipelines, lanes, a side that is
// down. The zero value is for waits that nobody is hurt by.
type waiting struct {
	// urgent: groups or producers are refused until it is over, so looks stay as near as at first.
	urgent bool
	// away is for how long the target may not answer, or refuse, until the wait ends with AwayType;
	// 0 waits for it. Groups are fenced on the source meanwhile.
	away time.Duration
	// seen are numbers that must stand for the time settle. They are told to the next attempt where
	// they are of use to it.
	seen   stability.Set
	settle time.Duration
}

// until looks until check passes, or fails for a cause that doesn't pass by itself. At the end of
// the attempt, and when the cause becomes of another type, the last error is what people see, and
// Temporal comes again.
func (w waiting) until(ctx context.Context, check func() error) error {
	info := activity.GetInfo(ctx)
	begin := time.Now()
	// with so short a time-out it is under a fence, or was begun by a workflow of an older release
	w.urgent = w.urgent || info.StartToCloseTimeout <= lookTime
	attempt := attemptTime(info, begin)
	answered, kind := begin, ""
	for {
		err := asTemporal(check())
		var cause *temporal.ApplicationError
		if !errors.As(err, &cause) || cause.NonRetryable() {
			return err
		}
		now := time.Now()
		gone := FaultOf(cause) == api.Target && w.away > 0
		if !gone {
			answered = now
		}
		if gone && now.Sub(answered) >= w.away {
			return temporal.NewNonRetryableApplicationError(cause.Message(), AwayType, err)
		}
		if kind == "" {
			kind = cause.Type()
		}
		// an attempt that began anew would count the time without the target from its start
		if !gone && (now.Sub(begin) >= attempt || cause.Type() != kind) {
			w.tell(ctx, attempt)
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			w.tell(ctx, 0)
			return err
		case <-time.After(w.pause(cause, now.Sub(info.ScheduledTime))):
		}
	}
}

// tell hands the numbers on to the next attempt.
func (w waiting) tell(ctx context.Context, attempt time.Duration) {
	if len(w.seen) > 0 && attempt < settleShare*w.settle {
		activity.RecordHeartbeat(ctx, w.seen)
	}
}

// unwantedTime is how long an activity that was cancelled waits to hear of it in the way that
// Temporal's SDK knows: by a heartbeat that the SDK holds back for up to 8 s of 10, or by the
// worker's looks, which are more often.
const unwantedTime = 10 * time.Second

// stillWanted asks the server whether the activity was cancelled. It stands before what a wait
// writes, as nobody waits for the end of one that was cancelled. A heartbeat alone may be held back
// by the SDK for seconds, so that the server is asked directly too.
func (s Settings) stillWanted(ctx context.Context, details any) error {
	activity.RecordHeartbeat(ctx, details)
	if ctx.Err() != nil || s.Wanted == nil {
		return ctx.Err()
	}
	err := s.Wanted(ctx)
	switch {
	case err == nil:
		return ctx.Err()
	case !errors.Is(err, ErrUnwanted):
		return fault.NotReady("whether this is still wanted isn't known, so that nothing is written: %v", err)
	}
	if sleep.For(ctx, unwantedTime) != nil {
		return ctx.Err()
	}
	return err
}

// pause is how long the next look is away in a wait of this age. A side that is down or refuses is
// asked no sooner than its error says, and so is a look that is dear.
func (w waiting) pause(cause *temporal.ApplicationError, age time.Duration) time.Duration {
	pause := min(max(age/lookShare, lookAgain), lookLater)
	switch {
	case w.urgent:
		pause = lookAgain
	case w.away > 0: // a target that dies is noticed within this time
		pause = min(pause, fault.ReachAgain)
	}
	if again := cause.NextRetryDelay(); cause.Type() != NotReadyType || again > fault.PollAgain {
		pause = max(pause, again)
	}
	return pause
}

// attemptTime is how long an attempt that begins now lasts: the first ones are short, so that
// people see at once what is waited for; a later one lasts as long as the wait already does.
func attemptTime(info activity.Info, now time.Time) time.Duration {
	if info.Attempt <= firstAttempts {
		return shortAttempt
	}
	return min(max(now.Sub(info.ScheduledTime), shortAttempt),
		max(info.StartToCloseTimeout-lookTime, longAttempt))
}
