package consumers

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Hindrances are those of the groups that can't go back to the source yet. The order of messages of
// free topics needn't survive.
func Hindrances(ctx context.Context, both clusters.Both, groups, free []string) (open []string, err error) {
	m, err := NewMover(ctx, both, api.Target)
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		hindrance, err := m.hindrance(ctx, group, free)
		if err != nil {
			return nil, err
		}
		if hindrance != "" {
			open = append(open, hindrance)
		}
	}
	return open, nil
}

// hindrance names the first lane whose position can't be taken back yet.
func (m *Mover) hindrance(ctx context.Context, group string, free []string) (string, error) {
	free = append(slices.Clone(free), rocketmq.RetryTopic(group))
	for _, topic := range m.topicsOf(group) {
		lanes, err := m.Lanes(topic)
		if err != nil {
			return "", err
		}
		for _, lane := range lanes {
			at, known := m.have[api.Target][group][topic][lane.Target]
			reason, err := m.unreadNatives(ctx, lane, at)
			if err == nil && !m.Plan.Replicate.OneWay && (reason == "" || slices.Contains(free, topic)) && known {
				reason, err = m.inexact(ctx, lane, at)
			}
			if reason != "" || err != nil {
				return fmt.Sprintf("%s is at %d of %s %s/%d, %s", group, at, topic, lane.Target.Broker,
					lane.Target.ID, reason), err
			}
		}
	}
	return "", nil
}

// unreadNatives says which native on the target a position hasn't passed.
func (m *Mover) unreadNatives(ctx context.Context, lane lane.Lane, at int64) (string, error) {
	found, err := m.Translator.Natives(ctx, lane)
	if err != nil || found.Count == 0 || at > found.Last {
		return "", m.Explain(ctx, err)
	}
	return fmt.Sprintf("the last message that was written there at %d", found.Last), nil
}

// inexact says why a position has no exact counterpart on the source yet.
func (m *Mover) inexact(ctx context.Context, lane lane.Lane, at int64) (string, error) {
	to, err := m.translate(ctx, lane, at)
	switch {
	case fault.IsNotReady(err):
		return err.Error(), nil
	case err != nil || to.Exact:
		return "", err
	}
	return fmt.Sprintf("where both sides were written to at the same time: it would read %d messages again",
		to.Repeats), nil
}
