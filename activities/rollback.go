package activities

import (
	"context"
	"fmt"
	"sort"
)

// Survey is what Rollback must undo, read from the brokers.
type Survey struct {
	FencedGroups []string `json:"fencedGroups,omitempty"` // fenced on the source
	MovedTopics  []string `json:"movedTopics,omitempty"`  // topics with natives on the target
}

// Returns prepares the way back.
type Returns struct{ settings Settings }

// NewReturns returns the activities of Rollback.
func NewReturns(s Settings) *Returns { return &Returns{s.withDefaults()} }

// Survey reads from the brokers what Rollback must undo. A target that was never provided has nothing to undo.
func (b *Returns) Survey(ctx context.Context, r Request) (Survey, error) {
	p := r.Plan.WithDefaults()
	source, brokers, err := b.settings.at(ctx, r, Source)
	if err != nil {
		return Survey{}, err
	}
	groups, err := source.groupTable(ctx, brokers)
	if err != nil {
		return Survey{}, err
	}
	var found Survey
	for _, group := range groups.selected(p) {
		if groups.closed(group) {
			found.FencedGroups = append(found.FencedGroups, group)
		}
	}
	if nameServers, err := b.settings.targetNameServers(ctx, p); err != nil || nameServers == nil {
		return found, err
	}
	both, err := b.settings.both(ctx, p)
	if err != nil {
		return Survey{}, err
	}
	found.MovedTopics, err = both.movedTopics(ctx)
	return found, err
}

// movedTopics are the topics that producers have written on the target.
func (s sides) movedTopics(ctx context.Context) ([]string, error) {
	l, err := s.layout(ctx)
	if err != nil {
		return nil, err
	}
	var there []string
	for _, topic := range l.sourceTopics.selected(s.plan, l.sourceBrokers) {
		if len(l.targetTopics[topic]) > 0 { // before ImportMetadata there is none
			there = append(there, topic)
		}
	}
	counts, err := s.natives(ctx, l, there)
	if err != nil {
		return nil, err
	}
	var moved []string
	for topic, count := range counts {
		if count > 0 {
			moved = append(moved, topic)
		}
	}
	sort.Strings(moved)
	return moved, nil
}

// AwaitNativesRead waits until the groups have read every native on the target: natives aren't on the source, so a group
// that goes back before would miss them.
func (b *Returns) AwaitNativesRead(ctx context.Context, r GroupsRequest) error {
	both, err := b.settings.both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return err
	}
	return poll(ctx, func() error {
		m, err := both.mover(ctx, Target)
		if err != nil {
			return err
		}
		var open []string
		for _, group := range r.Groups {
			unread, err := m.unreadNatives(ctx, group)
			if err != nil {
				return err
			}
			if unread != "" {
				open = append(open, unread)
			}
		}
		if len(open) > 0 {
			return notReady("%d of %d groups haven't read everything that was written on the target: %s", len(open), len(r.Groups), list(open))
		}
		return nil
	})
}

// unreadNatives names the first lane where the group hasn't passed the last native.
func (m *mover) unreadNatives(ctx context.Context, group string) (string, error) {
	for _, topic := range m.topicsOf(group) {
		lanes, err := m.lanes(topic)
		if err != nil {
			return "", err
		}
		for _, lane := range lanes {
			found, err := m.translator.Natives(ctx, lane)
			if err != nil {
				return "", m.target.explain(ctx, err)
			}
			at := m.have[Target][group][topic][lane.Target]
			if found.Count > 0 && at <= found.Last {
				return fmt.Sprintf("%s is at %d of %s %s/%d, the last native at %d", group, at, topic, lane.Target.Broker, lane.Target.ID, found.Last), nil
			}
		}
	}
	return "", nil
}
