package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// ReturnRequest names groups that are to go back to the source.
type ReturnRequest struct {
	GroupsRequest
	// Free are topics whose order needn't survive the move.
	Free api.Names `json:"free,omitzero"`
	// Away is as in AwaitMoveRequest.
	Away time.Duration `json:"away,omitempty"`
}

// AwaitReturnable waits until the groups can go back at exactly the next message. On the source,
// messages that producers wrote on the target may lie behind newer ones, written there since: of
// topics that aren't free (retries always are), groups read them on the target first. Where lanes
// go one way, groups must read every native on the target, of all topics: none is on the source.
func (b *Returns) AwaitReturnable(ctx context.Context, r ReturnRequest) (err error) {
	defer explained(&err)
	return unlessAway(ctx, r.Away, func() error { return b.awaitReturnable(ctx, r) })
}

func (b *Returns) awaitReturnable(ctx context.Context, r ReturnRequest) error {
	both, err := b.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return err
	}
	groups, err := b.settings.groups(ctx, r.GroupsRequest)
	if err != nil {
		return err
	}
	// The way back never waits for the store: without the list no topic is free, which takes
	// longer.
	free, err := lists.Resolve(ctx, b.settings.Store, r.Free)
	if err != nil {
		free = nil
	}
	return poll(ctx, func() error {
		m, err := newMover(ctx, both, api.Target)
		if err != nil {
			return err
		}
		var open []string
		for _, group := range groups {
			hindrance, err := m.hindrance(ctx, group, free)
			if err != nil {
				return err
			}
			if hindrance != "" {
				open = append(open, hindrance)
			}
		}
		if len(open) > 0 {
			return fault.NotReady("%d of %d groups can't go back yet: %s", len(open), len(groups), printable.Few(open))
		}
		return nil
	})
}

// hindrance names the first lane whose position can't be taken back yet.
func (m *mover) hindrance(ctx context.Context, group string, free []string) (string, error) {
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
func (m *mover) unreadNatives(ctx context.Context, lane lane.Lane, at int64) (string, error) {
	found, err := m.Translator.Natives(ctx, lane)
	if err != nil || found.Count == 0 || at > found.Last {
		return "", m.Explain(ctx, err)
	}
	return fmt.Sprintf("the last message that was written there at %d", found.Last), nil
}

// inexact says why a position has no exact counterpart on the source yet.
func (m *mover) inexact(ctx context.Context, lane lane.Lane, at int64) (string, error) {
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
