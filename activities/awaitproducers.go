package activities

import (
	"context"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
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
		topics, err := lists.Resolve(ctx, t.settings.Store, r.Topics)
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
		if wave.Topics, err = lists.Resolve(ctx, t.settings.Store, r.Wave.Topics); err != nil {
			return err
		}
		if wave.Groups, err = lists.Resolve(ctx, t.settings.Store, r.Wave.Groups); err != nil {
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
