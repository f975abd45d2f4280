package activities

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
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

// stability is how long a number has been standing. Rate is how fast it last changed, per second.
type stability struct {
	Reading int64
	Since   time.Time
	Rate    float64
}

// MarshalJSON writes the reading, milliseconds since 1970, and the rate: a heartbeat holds more
// than a thousand of them.
func (s stability) MarshalJSON() ([]byte, error) {
	since := s.Since.UnixMilli()
	if s.Since.After(time.UnixMilli(since)) {
		since++ // it never stood for longer than it did
	}
	return json.Marshal([3]json.Number{
		json.Number(strconv.FormatInt(s.Reading, 10)),
		json.Number(strconv.FormatInt(since, 10)),
		json.Number(strconv.FormatFloat(s.Rate, 'g', 3, 64)),
	})
}

// UnmarshalJSON reads that. What releases before it wrote is no list: the watch begins anew.
func (s *stability) UnmarshalJSON(b []byte) error {
	var n [3]json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	reading, err := n[0].Int64()
	since, errSince := n[1].Int64()
	rate, errRate := n[2].Float64()
	*s = stability{reading, time.UnixMilli(since), rate}
	return errors.Join(err, errSince, errRate)
}

// stabilities is a set of numbers that should stand still, by name. It travels in heartbeats from
// attempt to attempt, so that a settle time of minutes needs no activity of minutes.
type stabilities map[string]stability

// resumedStabilities is what the attempt before saw.
func resumedStabilities(ctx context.Context) stabilities {
	w := stabilities{}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &w); err != nil || w == nil {
			return stabilities{}
		}
	}
	return w
}

// stands notes a reading and returns for how long it has been the same.
func (w stabilities) stands(name string, reading int64, now time.Time) time.Duration {
	seen, known := w[name]
	if known && seen.Reading == reading {
		return now.Sub(seen.Since)
	}
	next := stability{Reading: reading, Since: now}
	if passed := now.Sub(seen.Since).Seconds(); known && passed > 0 {
		next.Rate = float64(reading-seen.Reading) / passed
	}
	w[name] = next
	return 0
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
