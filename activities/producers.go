package activities

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/printable"
	"rocketshift/plan"
)

// quietReleased is how long a side must stand still when the pipeline reported that its producers
// have moved.
const quietReleased = 500 * time.Millisecond

// WaveRequest is one wave to check.
type WaveRequest struct {
	Request
	Wave Wave `json:"wave"`
}

// AwaitQuiet waits until producers write nothing more on From, and notes on the brokers that they
// left: whoever writes there from then on is told as a straggler.
func (t *Traffic) AwaitQuiet(ctx context.Context, r AwaitMoveRequest) (err error) {
	defer explained(&err)
	seen, wanted := resumedStabilities(ctx), time.Duration(r.Plan.WithDefaults().Shift.Settle)
	if r.Released {
		wanted = quietReleased
	}
	wait := waiting{away: r.Away, seen: seen, settle: wanted}
	return wait.until(ctx, func() error {
		both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
		if err != nil {
			return err
		}
		topics, err := t.settings.names(ctx, r.Request, r.Topics)
		if err != nil && r.From == api.Target { // the way back never waits for the store
			topics, err = measure.MovedTopics(ctx, both, false)
		}
		if err != nil {
			return err
		}
		_, open, err := measure.QuietTopics(ctx, both, r.From, topics, seen, r.settle)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			return fault.NotReady("producers of %d of %d topics still write on the %s: %s", len(open), len(topics),
				r.From, printable.Few(open))
		}
		if err := t.settings.stillWanted(ctx, seen); err != nil {
			return err
		}
		return measure.NoteLeft(ctx, both, r.From, topics)
	})
}

// CheckWave measures whether everything of a wave stands where it should: no member of its groups
// and no producer of its topics on the source, for the plan's settle time, and nothing left to
// copy.
func (t *Traffic) CheckWave(ctx context.Context, r WaveRequest) (_ api.WaveCheck, err error) {
	defer explained(&err)
	p, seen := r.Plan.WithDefaults(), resumedStabilities(ctx)
	wave := plan.Wave{Step: r.Wave.Step}
	var check api.WaveCheck
	wait := waiting{seen: seen, settle: time.Duration(p.Shift.Settle)}
	err = wait.until(ctx, func() error {
		both, err := t.settings.clusters().Both(ctx, p)
		if err != nil {
			return err
		}
		if wave.Topics, err = t.settings.names(ctx, r.Request, r.Wave.Topics); err != nil {
			return err
		}
		if wave.Groups, err = t.settings.names(ctx, r.Request, r.Wave.Groups); err != nil {
			return err
		}
		var broken string
		if check, broken, err = measure.CheckWave(ctx, both, wave, seen); err != nil {
			return err
		}
		if broken != "" {
			return fault.NotReady("wave of %d %%: %s", r.Wave.Step, broken)
		}
		return nil
	})
	return check, err
}

// MoveOrdered opens ordered topics on the side that their producers go to, each as soon as nothing
// is written on From any more and its last message was copied, until all of them are open, or those
// that producers still write to are left after r.Stay. They were closed there before anybody was
// asked to move. Which are open is read from the brokers, so that another attempt goes on.
func (t *Traffic) MoveOrdered(
	ctx context.Context, r AwaitMoveRequest,
) (left OrderedMove, err error) {
	defer explained(&err)
	topics, err := t.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return left, err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return left, err
	}
	begun := activity.GetInfo(ctx).ScheduledTime
	seen := resumedStabilities(ctx)
	if len(seen) == 0 && r.Stood != nil {
		seen = r.Stood
	}
	err = poll(ctx, func() error {
		closed, err := measure.ClosedTopics(ctx, both, r.From.Other(), topics)
		if err != nil || len(closed) == 0 {
			return err
		}
		quiet, waiting, err := measure.QuietTopics(ctx, both, r.From, closed, seen, r.settle)
		if err != nil {
			return err
		}
		activity.RecordHeartbeat(ctx, seen)
		lagging, err := t.openDrained(ctx, both, r, quiet)
		switch {
		case err != nil:
			return err
		case len(waiting) > 0 && len(lagging) == 0 && r.Stay > 0 && time.Since(begun) >= r.Stay:
			left.Waiting = len(waiting)
			return nil
		case len(waiting)+len(lagging) > 0:
			return r.notOpen(len(topics), append(waiting, lagging...))
		}
		return nil
	})
	return left, err
}

func (r AwaitMoveRequest) notOpen(of int, topics []string) error {
	return fault.NotReady("%d of %d ordered topics can't be opened on the %s yet: %s", len(topics), of,
		r.From.Other(), printable.Few(topics))
}

// AwaitOrdered waits until MoveOrdered has something to do: until the producers of one of the
// topics that are closed have left From. It only looks, as often as MoveOrdered does: whoever has
// left is refused until the topic is open.
func (t *Traffic) AwaitOrdered(ctx context.Context, r AwaitMoveRequest) (_ Quiet, err error) {
	defer explained(&err)
	p, seen := r.Plan.WithDefaults(), resumedStabilities(ctx)
	wait := waiting{urgent: true, seen: seen, settle: time.Duration(p.Shift.Settle)}
	err = wait.until(ctx, func() error {
		both, err := t.settings.clusters().Both(ctx, p)
		if err != nil {
			return err
		}
		topics, err := t.settings.names(ctx, r.Request, r.Topics)
		if err != nil {
			return err
		}
		closed, err := measure.ClosedTopics(ctx, both, r.From.Other(), topics)
		if err != nil || len(closed) == 0 {
			return err
		}
		quiet, waiting, err := measure.QuietTopics(ctx, both, r.From, closed, seen, r.settle)
		// proxies open none alone
		if err != nil || len(waiting) == 0 || len(quiet) > 0 && both.At(r.From.Other()).Proxy() == "" {
			return err
		}
		return r.notOpen(len(topics), waiting)
	})
	return Quiet{Stood: seen.Still(time.Now(), lookAgain)}, err
}

// settle is for how long the producers of a topic must have been quiet.
func (r AwaitMoveRequest) settle(topic string) time.Duration {
	if r.Released || slices.Contains(r.Said, topic) {
		return quietReleased
	}
	return time.Duration(r.Plan.WithDefaults().Shift.Settle)
}

// openDrained opens those of the topics whose lanes have copied everything, and names the others.
func (t *Traffic) openDrained(
	ctx context.Context, both clusters.Both, r AwaitMoveRequest, topics []string,
) (lagging []string, err error) {
	ready, lagging, err := measure.CopiedTopics(ctx, both, topics)
	if err != nil || len(ready) == 0 {
		return lagging, err
	}
	if err := measure.NoteLeft(ctx, both, r.From, ready); err != nil {
		return nil, err
	}
	open := TopicsRequest{Request: r.Request, Side: r.From.Other(), Topics: api.Some(ready...)}
	return lagging, t.OpenTopics(ctx, open)
}
