package activities

import (
	"context"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Survey is what Rollback must undo, read from the brokers.
type Survey struct {
	FencedGroups api.Names `json:"fencedGroups,omitzero"` // fenced on the source, by rocketshift
	// topics with natives on the target, or whose producers left the source
	MovedTopics api.Names `json:"movedTopics,omitzero"`
	// OpenedGroups read on the source again, while they aren't known to be closed on the target.
	OpenedGroups api.Names `json:"openedGroups,omitzero"`
	// MoreFenced and MoreOpened are how many there are beyond those that are named.
	MoreFenced int `json:"moreFenced,omitempty"`
	MoreOpened int `json:"moreOpened,omitempty"`
	// Of mode gateway: queues whose home is the target, groups that read there, and the side that
	// says who members are.
	Homes     int       `json:"homes,omitempty"`
	LedGroups api.Names `json:"ledGroups,omitzero"`
	Authority api.Side  `json:"authority,omitempty"`
}

// Moved reports whether there is anything to undo.
func (s Survey) Moved() bool {
	return s.FencedGroups.Len()+s.OpenedGroups.Len()+s.MovedTopics.Len()+s.Homes+
		s.LedGroups.Len() > 0 || s.Authority == api.Target
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
	// RecordedIn are such groups too, wave by wave.
	RecordedIn []api.Names `json:"recordedIn,omitempty"`
	// Closed are groups among them that others had closed.
	Closed api.Collected `json:"closed,omitzero"`
	// Most is how many fenced groups, and how many opened ones, the answer names, the first ones
	// with names after After: whoever opens groups gets to know their names from the brokers alone.
	// 0 asks for all.
	Most  int    `json:"most,omitempty"`
	After string `json:"after,omitempty"`
	// SkipTopics leaves MovedTopics out: every look at them counts what all topics hold.
	SkipTopics bool `json:"skipTopics,omitempty"`
}

// page are the names of a sorted list that the answer has, and how many more there are.
func (r SurveyRequest) page(names []string) (page []string, more int) {
	for len(names) > 0 && r.After != "" && names[0] <= r.After {
		names = names[1:]
	}
	if r.Most == 0 || len(names) <= r.Most {
		return names, 0
	}
	return names[:r.Most], len(names) - r.Most
}

// AwaitTarget waits until every broker of the target answers.
func (b *Returns) AwaitTarget(ctx context.Context, r Request) (err error) {
	defer explained(&err)
	return waiting{}.until(ctx, func() error {
		c, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Target)
		if err == nil {
			_, err = c.TopicTable(ctx, brokers, nil)
		}
		return err
	})
}

// WatchRequest asks to watch the target.
type WatchRequest struct {
	Request
	// Away is how long the target may not answer, or refuse, until the watch ends with AwayType.
	Away time.Duration `json:"away"`
}

// watchAgain is the pause between two looks of a watch: short against the fence budget, and a look
// costs each broker one small answer.
const watchAgain = 10 * time.Second

// WatchTarget ends when one of the target's brokers hasn't answered for as long as Away.
func (b *Returns) WatchTarget(ctx context.Context, r WatchRequest) (err error) {
	defer explained(&err)
	return waiting{away: r.Away}.until(ctx, func() error {
		c, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Target)
		if err == nil && c.Proxy() == "" {
			_, err = c.Answering(ctx, brokers)
		}
		if err == nil {
			err = fault.Again(fault.KindNotReady, watchAgain, nil, "the target answers; it is watched")
		}
		return err
	})
}

// Returns prepares the way back.
type Returns struct{ settings Settings }

// NewReturns returns the activities of Rollback.
func NewReturns(s Settings) *Returns { return &Returns{s.withDefaults()} }

// Survey reads from the brokers what Rollback must undo. A target that was never provided has
// nothing to undo.
func (b *Returns) Survey(ctx context.Context, r SurveyRequest) (found Survey, err error) {
	defer explained(&err)
	err = unlessAway(ctx, r.Away, func() error {
		found, err = b.survey(ctx, r)
		return err
	})
	return found, err
}

func (b *Returns) survey(ctx context.Context, r SurveyRequest) (Survey, error) {
	p := r.Plan.WithDefaults()
	source, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return Survey{}, err
	}
	found, err := b.surveySource(ctx, source, brokers, r)
	if err != nil || r.SourceOnly {
		return found, err
	}
	if r.ByMark && p.Traffic.Mode == plan.ModeGateway {
		state, err := b.settings.clusters().GatewayState(ctx, p)
		if err != nil {
			return Survey{}, err
		}
		groups := found.led(state, p)
		found.LedGroups = lists.InlineAtWorst(ctx, b.settings.lists(r.Request), "led groups", groups)
		return found, nil // gateways know better than brokers what of the plan is on the target
	}
	where, err := b.settings.clusters().WhereTarget(ctx, p)
	if err != nil || where.Addresses == nil || r.SkipTopics {
		return found, err
	}
	both, err := b.settings.clusters().Both(ctx, p)
	if err != nil {
		return Survey{}, err
	}
	moved, err := measure.MovedTopics(ctx, both, r.Noted)
	found.MovedTopics = lists.InlineAtWorst(ctx, b.settings.lists(r.Request), "moved topics", moved)
	return found, err
}

// recorded are all groups that the migration has on record as fenced, without those that were
// closed before.
func (b *Returns) recorded(ctx context.Context, r SurveyRequest) ([]string, error) {
	all, err := b.settings.collected(ctx, r.Request, api.Collected{Named: r.Recorded, In: r.RecordedIn})
	if err != nil {
		return nil, err
	}
	closed, err := b.settings.collected(ctx, r.Request, r.Closed)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(closed, name) }), nil
}

// surveySource is what the source tells of groups that were moved.
func (b *Returns) surveySource(
	ctx context.Context, c *clusters.One, brokers []rocketmq.Broker, r SurveyRequest,
) (Survey, error) {
	p := r.Plan.WithDefaults()
	groups, err := c.GroupTable(ctx, brokers)
	if err != nil {
		return Survey{}, err
	}
	var found Survey
	if !r.ByMark {
		closed := slices.DeleteFunc(groups.Selected(p), func(group string) bool { return !groups.Closed(group) })
		found.FencedGroups = lists.InlineAtWorst(ctx, b.settings.lists(r.Request), "fenced groups", closed)
		return found, nil
	}
	marks, err := consumers.ReadFences(ctx, c, p, brokers)
	if err != nil {
		return Survey{}, err
	}
	var recorded []string
	if !marks.Any(groups.Selected(p)) { // else they tell all
		if recorded, err = b.recorded(ctx, r); err != nil {
			return Survey{}, err
		}
	}
	fenced, opened, _ := marks.Whose(p, groups, recorded)
	fenced, found.MoreFenced = r.page(fenced)
	opened, found.MoreOpened = r.page(opened)
	found.FencedGroups, found.OpenedGroups = api.Some(fenced...), api.Some(opened...)
	return found, nil
}

// led adds what gateways have moved of the plan, and returns the groups among it.
func (s *Survey) led(state control.State, p plan.Plan) (groups []string) {
	s.Authority = api.Side(state.Authority)
	for _, q := range state.Homes.Away {
		if p.Topics.Match(q.Topic) {
			s.Homes++
		}
	}
	for _, g := range state.Groups {
		if g.Target > 0 && p.Groups.Match(g.Group) {
			groups = append(groups, g.Group)
		}
	}
	return groups
}
