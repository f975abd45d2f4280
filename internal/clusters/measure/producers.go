package measure

import (
	"context"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/plan"
)

func moving(topic string, s stability.Number, now time.Time, wanted time.Duration) string {
	return fmt.Sprintf("%s (%.0f/s, quiet for %s of %s)", topic, s.Rate,
		now.Sub(s.Since).Round(stability.RoundTo), wanted)
}

// Puts counts what producers wrote into each topic on a side, and no lane.
func Puts(ctx context.Context, s clusters.Both, side api.Side, topics []string) (map[string]int64, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	for _, topic := range topics {
		if _, there := l.SourceTopics[topic]; !there && side == api.Source {
			return nil, fault.NotReady("topic %s: no source broker has it: is one down?", topic)
		}
	}
	return Natives(ctx, s, l, side, topics)
}

// CheckWave looks once, and says which rule is broken.
func CheckWave(
	ctx context.Context,
	s clusters.Both,
	wave plan.Wave,
	seen stability.Set,
) (api.WaveCheck, string, error) {
	members, err := CountMembers(ctx, s, wave.Groups, api.Source)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	onSource, err := Puts(ctx, s, api.Source, wave.Topics)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	onTarget, err := Puts(ctx, s, api.Target, wave.Topics)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	l, err := s.Layout(ctx)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	lanes, err := Lanes(ctx, s, l, wave.Topics)
	if err != nil {
		return api.WaveCheck{}, "", err
	}
	state := Sum(lanes)
	check := api.WaveCheck{Lag: state.Lag, Measured: state.Measured}
	left := countMembers(&check, members)
	writing := countPuts(&check, wave.Topics, onSource, onTarget, seen, time.Duration(s.Plan.Shift.Settle))
	switch {
	case len(left) > 0:
		return check, fmt.Sprintf("%d members are still on the source: %s", check.MembersLeft, printable.Few(left)), nil
	case len(writing) > 0:
		return check, "producers on the source: " + printable.Few(
			writing,
		) + "; rocketshift lanes names the senders", nil
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

// CountShare counts what producers have written on each side, since before if that is given.
func CountShare(
	ctx context.Context, s clusters.Both, topics []string, before *api.WaveCheck,
) (api.WaveCheck, error) {
	onSource, err := Puts(ctx, s, api.Source, topics)
	if err != nil {
		return api.WaveCheck{}, err
	}
	onTarget, err := Puts(ctx, s, api.Target, topics)
	if err != nil {
		return api.WaveCheck{}, err
	}
	l, err := s.Layout(ctx)
	if err != nil {
		return api.WaveCheck{}, err
	}
	lanes, err := Lanes(ctx, s, l, topics)
	if err != nil {
		return api.WaveCheck{}, err
	}
	state := Sum(lanes)
	check := api.WaveCheck{Lag: state.Lag, Measured: state.Measured}
	for _, topic := range topics {
		check.SourcePuts += onSource[topic]
		check.TargetPuts += onTarget[topic]
	}
	if b := before; b != nil {
		check.SourcePuts, check.TargetPuts = check.SourcePuts-b.SourcePuts, check.TargetPuts-b.TargetPuts
		if all := check.SourcePuts + check.TargetPuts; all > 0 {
			check.Share = float64(check.TargetPuts*1000/all) / 10
		}
	}
	return check, nil
}

// ClosedTopics are those of the topics that are read-only on a side.
func ClosedTopics(ctx context.Context, s clusters.Both, side api.Side, topics []string) ([]string, error) {
	c := s.At(side)
	if c.Proxy() != "" { // which opens and closes no topic: all are looked at, and are opened at once
		return topics, nil
	}
	brokers, err := c.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	table, err := c.TopicTable(ctx, brokers, nil)
	if err != nil {
		return nil, err
	}
	var closed []string
	for _, name := range topics {
		if len(table[name]) == 0 {
			return nil, fault.Refused("topic %s: no broker of the %s has it: run ImportMetadata to compare",
				name, c.Side)
		}
		for _, config := range table[name] {
			if config.Perm&rocketmq.PermWrite == 0 {
				closed = append(closed, name)
				break
			}
		}
	}
	return closed, nil
}

// QuietTopics sorts topics by whether their producers have been quiet on a side for long enough.
func QuietTopics(
	ctx context.Context, s clusters.Both, side api.Side, topics []string, seen stability.Set,
	settle func(topic string) time.Duration,
) (quiet, waiting []string, err error) {
	puts, err := Puts(ctx, s, side, topics)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	for _, topic := range topics {
		wanted := settle(topic)
		if seen.Stands(topic, puts[topic], now) < wanted {
			waiting = append(waiting, moving(topic, seen[topic], now, wanted))
		} else {
			quiet = append(quiet, topic)
		}
	}
	return quiet, waiting, nil
}

// CopiedTopics sorts topics by whether their lanes have copied everything.
func CopiedTopics(
	ctx context.Context, both clusters.Both, topics []string,
) (ready, lagging []string, err error) {
	if len(topics) == 0 {
		return nil, nil, nil
	}
	l, err := both.Layout(ctx)
	if err != nil {
		return nil, nil, err
	}
	first, err := Lanes(ctx, both, l, topics)
	if err == nil {
		err = sleep.For(ctx, drainedTwice)
	}
	if err != nil {
		return nil, nil, err
	}
	states, err := Lanes(ctx, both, l, topics)
	if err != nil {
		return nil, nil, err
	}
	behind := map[string]Lane{}
	for i, state := range states {
		if state.lag() > 0 || state.Max != first[i].Max {
			behind[state.Lane.Topic] = state
		}
	}
	for _, topic := range topics {
		if state, late := behind[topic]; late {
			lagging = append(lagging, "not copied yet: "+state.String())
		} else {
			ready = append(ready, topic)
		}
	}
	return ready, lagging, nil
}
