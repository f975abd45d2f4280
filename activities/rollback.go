package activities

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"rocketshift/internal/gateway"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator"
)

// Survey is what Rollback must undo, read from the brokers.
type Survey struct {
	FencedGroups []string `json:"fencedGroups,omitempty"` // fenced on the source, by rocketshift
	MovedTopics  []string `json:"movedTopics,omitempty"`  // topics with natives on the target, or whose producers left the source
	// OpenedGroups read on the source again, while they aren't known to be closed on the target.
	OpenedGroups []string `json:"openedGroups,omitempty"`
	// Of mode gateway: queues whose home is the target, groups that read there, and the side that
	// says who members are.
	Homes     int      `json:"homes,omitempty"`
	LedGroups []string `json:"ledGroups,omitempty"`
	Authority Side     `json:"authority,omitempty"`
}

// Moved reports whether there is anything to undo.
func (s Survey) Moved() bool {
	return len(s.FencedGroups)+len(s.OpenedGroups)+len(s.MovedTopics)+s.Homes+len(s.LedGroups) > 0 || s.Authority == Target
}

// SurveyRequest asks for what has moved.
type SurveyRequest struct {
	Request
	// SourceOnly asks nothing that the target would have to answer.
	SourceOnly bool `json:"sourceOnly,omitempty"`
	// ByMark tells fences of rocketshift from groups that others closed; without it every closed
	// group counts.
	ByMark bool `json:"byMark,omitempty"`
	// Noted counts topics as moved only where a note on the source says so: a target that
	// applications used before the migration has messages of its own.
	Noted bool `json:"noted,omitempty"`
	// Away is as in AwaitMoveRequest.
	Away time.Duration `json:"away,omitempty"`
	// Recorded are groups that the migration has on record as fenced, for fences that carry no
	// mark.
	Recorded []string `json:"recorded,omitempty"`
}

// AwaitTarget waits until every broker of the target answers.
func (b *Returns) AwaitTarget(ctx context.Context, r Request) error {
	return waiting{}.until(ctx, func() error {
		c, brokers, err := b.settings.at(ctx, r, Target)
		if err == nil {
			_, err = c.topicTable(ctx, brokers, nil)
		}
		return err
	})
}

// Returns prepares the way back.
type Returns struct{ settings Settings }

// NewReturns returns the activities of Rollback.
func NewReturns(s Settings) *Returns { return &Returns{s.withDefaults()} }

// Survey reads from the brokers what Rollback must undo. A target that was never provided has nothing to undo.
func (b *Returns) Survey(ctx context.Context, r SurveyRequest) (found Survey, err error) {
	err = unlessAway(ctx, r.Away, func() error {
		found, err = b.survey(ctx, r)
		return err
	})
	return found, err
}

func (b *Returns) survey(ctx context.Context, r SurveyRequest) (Survey, error) {
	p := r.Plan.WithDefaults()
	source, brokers, err := b.settings.at(ctx, r.Request, Source)
	if err != nil {
		return Survey{}, err
	}
	found, err := source.survey(ctx, p, brokers, r)
	if err != nil || r.SourceOnly {
		return found, err
	}
	if r.ByMark && p.Traffic.Mode == plan.ModeGateway {
		state, err := b.settings.gatewayState(ctx, p)
		if err != nil {
			return Survey{}, err
		}
		found.led(state, p)
		return found, nil // gateways know better than brokers what of the plan is on the target
	}
	if where, err := b.settings.whereTarget(ctx, p); err != nil || where.addresses == nil {
		return found, err
	}
	both, err := b.settings.both(ctx, p)
	if err != nil {
		return Survey{}, err
	}
	found.MovedTopics, err = both.movedTopics(ctx, r.Noted)
	return found, err
}

// survey is what the source tells of groups that were moved.
func (c *cluster) survey(
	ctx context.Context, p plan.Plan, brokers []rocketmq.Broker, r SurveyRequest,
) (Survey, error) {
	groups, err := c.groupTable(ctx, brokers)
	if err != nil {
		return Survey{}, err
	}
	var found Survey
	if !r.ByMark {
		for _, group := range groups.selected(p) {
			if groups.closed(group) {
				found.FencedGroups = append(found.FencedGroups, group)
			}
		}
		return found, nil
	}
	marks, err := c.fences(ctx, p, brokers)
	if err != nil {
		return Survey{}, err
	}
	found.FencedGroups, found.OpenedGroups, _ = marks.whose(p, groups, r.Recorded)
	return found, nil
}

// led adds what gateways have moved of the plan.
func (s *Survey) led(state gateway.State, p plan.Plan) {
	s.Authority = Side(state.Authority)
	for _, q := range state.Homes.Away {
		if p.Topics.Match(q.Topic) {
			s.Homes++
		}
	}
	for _, g := range state.Groups {
		if g.Target > 0 && p.Groups.Match(g.Group) {
			s.LedGroups = append(s.LedGroups, g.Group)
		}
	}
}

// movedTopics are the topics that producers have left on the source, or have written on the target
// unless only noted ones are asked for.
func (s sides) movedTopics(ctx context.Context, noted bool) ([]string, error) {
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
	counts := map[string]int64{}
	if !noted {
		if counts, err = s.natives(ctx, l, Target, there); err != nil {
			return nil, err
		}
	}
	var moved []string
	for _, topic := range there {
		left := counts[topic] > 0
		if !left { // producers that moved and haven't written yet
			if left, err = s.hasLeft(ctx, l, topic); err != nil {
				return nil, err
			}
		}
		if left {
			moved = append(moved, topic)
		}
	}
	sort.Strings(moved)
	return moved, nil
}

// ReturnRequest names groups that are to go back to the source.
type ReturnRequest struct {
	GroupsRequest
	// Free are topics whose order needn't survive the move.
	Free []string `json:"free,omitempty"`
	// Away is as in AwaitMoveRequest.
	Away time.Duration `json:"away,omitempty"`
}

// AwaitReturnable waits until the groups can go back at exactly the next message. On the source, messages that producers wrote on the target
// may lie behind newer ones, written there since: of topics that aren't free (retries always are), groups read them on the target first. Where lanes go one
// way, groups must read every native on the target, of all topics: none is on the source.
func (b *Returns) AwaitReturnable(ctx context.Context, r ReturnRequest) error {
	return waiting{away: r.Away}.until(ctx, func() error {
		both, err := b.settings.both(ctx, r.Plan.WithDefaults())
		if err != nil {
			return err
		}
		m, err := both.mover(ctx, Target)
		if err != nil {
			return err
		}
		var open []string
		for _, group := range r.Groups {
			hindrance, err := m.hindrance(ctx, group, r.Free)
			if err != nil {
				return err
			}
			if hindrance != "" {
				open = append(open, hindrance)
			}
		}
		if len(open) > 0 {
			return notReady("%d of %d groups can't go back yet: %s", len(open), len(r.Groups), list(open))
		}
		return nil
	})
}

// hindrance names the first lane whose position can't be taken back yet.
func (m *mover) hindrance(ctx context.Context, group string, free []string) (string, error) {
	free = append(slices.Clone(free), rocketmq.RetryTopic(group))
	for _, topic := range m.topicsOf(group) {
		lanes, err := m.lanes(topic)
		if err != nil {
			return "", err
		}
		for _, lane := range lanes {
			at, known := m.have[Target][group][topic][lane.Target]
			reason, err := m.unreadNatives(ctx, lane, at)
			if err == nil && !m.plan.Replicate.OneWay && (reason == "" || slices.Contains(free, topic)) && known {
				reason, err = m.inexact(ctx, lane, at)
			}
			if reason != "" || err != nil {
				return fmt.Sprintf("%s is at %d of %s %s/%d, %s", group, at, topic, lane.Target.Broker, lane.Target.ID, reason), err
			}
		}
	}
	return "", nil
}

// unreadNatives says which native on the target a position hasn't passed.
func (m *mover) unreadNatives(ctx context.Context, lane replicator.Lane, at int64) (string, error) {
	found, err := m.translator.Natives(ctx, lane)
	if err != nil || found.Count == 0 || at > found.Last {
		return "", m.target.explain(ctx, err)
	}
	return fmt.Sprintf("the last message that was written there at %d", found.Last), nil
}

// inexact says why a position has no exact counterpart on the source yet.
func (m *mover) inexact(ctx context.Context, lane replicator.Lane, at int64) (string, error) {
	to, err := m.translate(ctx, lane, at)
	switch {
	case isNotReady(err):
		return err.Error(), nil
	case err != nil || to.Exact:
		return "", err
	}
	return fmt.Sprintf("where both sides were written to at the same time: it would read %d messages again", to.Repeats), nil
}
