package activities

import (
	"context"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
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
			topics, err = movedTopics(ctx, both, false)
		}
		if err != nil {
			return err
		}
		_, open, err := quietTopics(ctx, both, r, topics, seen)
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
		return noteLeft(ctx, both, r.From, topics)
	})
}

func moving(topic string, s stability.Number, now time.Time, wanted time.Duration) string {
	return fmt.Sprintf("%s (%.0f/s, quiet for %s of %s)", topic, s.Rate, now.Sub(s.Since).Round(lookAgain), wanted)
}

// countPutsOn counts what producers wrote into each topic on a side, and no lane.
func countPutsOn(ctx context.Context, s clusters.Both, side api.Side, topics []string) (map[string]int64, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	for _, topic := range topics {
		if _, there := l.SourceTopics[topic]; !there && side == api.Source {
			return nil, fault.NotReady("topic %s: no source broker has it: is one down?", topic)
		}
	}
	return countNatives(ctx, s, l, side, topics)
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
		if check, broken, err = checkWave(ctx, both, wave, seen); err != nil {
			return err
		}
		if broken != "" {
			return fault.NotReady("wave of %d %%: %s", r.Wave.Step, broken)
		}
		return nil
	})
	return check, err
}

// checkWave looks once, and says which rule is broken.
func checkWave(ctx context.Context, s clusters.Both, wave plan.Wave, seen stability.Set) (api.WaveCheck, string, error) {
	members, err := countClients(ctx, s, wave.Groups, api.Source)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	onSource, err := countPutsOn(ctx, s, api.Source, wave.Topics)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	onTarget, err := countPutsOn(ctx, s, api.Target, wave.Topics)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	l, err := s.Layout(ctx)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	lanes, err := measureLanes(ctx, s, l, wave.Topics)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	state := summary(lanes)
	check := api.WaveCheck{Lag: state.Lag, Measured: state.Measured}
	left := countMembers(&check, members)
	writing := countPuts(&check, wave.Topics, onSource, onTarget, seen, time.Duration(s.Plan.Shift.Settle))
	switch {
	case len(left) > 0:
		return check, fmt.Sprintf("%d members are still on the source: %s", check.MembersLeft, printable.Few(left)), nil
	case len(writing) > 0:
		return check, "producers on the source: " + printable.Few(writing) + "; rocketshift lanes names the senders", nil
	case state.Lag > 0:
		return check, fmt.Sprintf("%d messages aren't copied yet, most of all %s", state.Lag, state.Worst), nil
	}
	return check, "", nil
}

// countMembers names the groups that still have members on the source.
func countMembers(c *api.WaveCheck, members []Members) []string {
	var left []string
	for _, m := range members {
		c.MembersLeft += m.Source
		if m.Source > 0 {
			left = append(left, fmt.Sprintf("%s %v", m.Group, m.Where))
		}
	}
	return left
}

// countPuts names the topics that haven't been quiet on the source for the settle time.
func countPuts(
	c *api.WaveCheck,
	topics []string,
	onSource, onTarget map[string]int64,
	seen stability.Set,
	settle time.Duration,
) []string {
	var writing []string
	for _, topic := range topics {
		c.TargetPuts += onTarget[topic]
		if before, known := seen[topic]; known {
			c.SourcePuts += onSource[topic] - before.Reading
		}
		if seen.Stands(topic, onSource[topic], c.Measured) < settle {
			writing = append(writing, moving(topic, seen[topic], c.Measured, settle))
		}
	}
	return writing
}
