package activities_test

import (
	"context"
	"slices"
	"time"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/measure"
)

func (p *played) registerReleases(add func(string, any)) {
	groups := func(what string) func(context.Context, activities.GroupsRequest) error {
		return func(ctx context.Context, r activities.GroupsRequest) error {
			_, err := p.note(ctx, r.Request, what+" "+string(r.Side), r.Groups)
			return err
		}
	}
	topics := func(what string) func(context.Context, activities.TopicsRequest) error {
		return func(ctx context.Context, r activities.TopicsRequest) error {
			_, err := p.note(ctx, r.Request, what, r.Topics)
			return err
		}
	}
	moves := func(what string) func(context.Context, activities.AwaitMoveRequest) error {
		return func(ctx context.Context, r activities.AwaitMoveRequest) error {
			_, err := p.note(ctx, r.Request, what+" "+string(r.From), r.Topics)
			return err
		}
	}
	none := func(context.Context, activities.GroupsRequest) ([]string, error) { return []string{}, nil }
	add("Moved", none)
	add("Missing", func(context.Context, activities.BrokersRequest) ([]string, error) { return nil, nil })
	add("ClosedByOthers", none)
	add("Fence", func(ctx context.Context, r activities.GroupsRequest) error {
		names, err := p.note(ctx, r.Request, "Fence "+string(r.Side), r.Groups)
		p.fence(r.Side, names, true)
		return err
	})
	add("Unfence", func(ctx context.Context, r activities.GroupsRequest) error {
		names, err := p.note(ctx, r.Request, "Unfence "+string(r.Side), r.Groups)
		p.fence(r.Side, names, false)
		return err
	})
	add("AwaitSettled", groups("AwaitSettled"))
	add("Translate", func(ctx context.Context, r activities.GroupsRequest) ([]consumers.Positions, error) {
		names, err := p.note(ctx, r.Request, "Translate "+string(r.Side), r.Groups)
		var all []consumers.Positions
		for _, name := range names {
			all = append(all, consumers.Positions{Group: name, Queues: 16, Exact: 16})
		}
		return activities.PositionsFor(r.Request, all), err
	})
	add("AwaitMembers", func(ctx context.Context, r activities.AwaitMoveRequest) ([]measure.Members, error) {
		names, err := p.note(ctx, r.Request, "AwaitMembers "+string(r.From), r.Groups)
		var all []measure.Members
		for _, name := range names {
			all = append(all, measure.Members{Group: name, Target: 3})
		}
		return activities.MembersFor(r.Request, all), err
	})
	add("CloseTopics", topics("CloseTopics"))
	add("OpenTopics", topics("OpenTopics"))
	add("AwaitQuiet", moves("AwaitQuiet"))
	ordered := moves("MoveOrdered")
	add("MoveOrdered", func(
		ctx context.Context, r activities.AwaitMoveRequest,
	) (left activities.OrderedMove, err error) {
		return left, ordered(ctx, r)
	})
	add("AwaitDrained", func(ctx context.Context, r activities.TopicsRequest) (measure.Summary, error) {
		_, err := p.note(ctx, r.Request, "AwaitDrained", r.Topics)
		return measure.Summary{Measured: time.Now().UTC()}, err
	})
	add("CheckWave", func(ctx context.Context, r activities.WaveRequest) (api.WaveCheck, error) {
		if _, err := p.note(ctx, r.Request, "CheckWave topics", r.Wave.Topics); err != nil {
			return api.WaveCheck{}, err
		}
		_, err := p.note(ctx, r.Request, "CheckWave groups", r.Wave.Groups)
		return api.WaveCheck{TargetPuts: 1000, Measured: time.Now().UTC()}, err
	})
}

func (p *played) fence(side api.Side, names []string, closed bool) {
	if side != api.Source {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if closed {
		p.fenced = append(p.fenced, names...)
		slices.Sort(p.fenced)
		return
	}
	open := map[string]bool{}
	for _, name := range names {
		open[name] = true
	}
	p.fenced = slices.DeleteFunc(p.fenced, func(name string) bool { return open[name] })
}

func (p *played) registerGateways(add func(string, any)) {
	add("Prepare", func(ctx context.Context, r activities.PrepareRequest) (activities.Gateway, error) {
		_, err := p.note(ctx, r.Request, "Prepare", r.Ordered)
		return activities.Gateway{NameServer: "10.0.2.1:9876", Clients: 30_000}, err
	})
	add("ProveLanes", func(context.Context, activities.Request) (activities.ProvedLanes, error) {
		return activities.ProvedLanes{Lanes: 3}, nil
	})
	add("MoveGroups", func(ctx context.Context, r activities.GroupsRequest) error {
		_, err := p.note(ctx, r.Request, "MoveGroups "+string(r.Side), r.Groups)
		return err
	})
	add("MoveAuthority", func(context.Context, activities.GroupsRequest) error { return nil })
	add("MoveHomes", func(ctx context.Context, r activities.HomesRequest) (activities.Homes, error) {
		names, err := p.note(ctx, r.Request, "MoveHomes", r.Topics)
		return activities.Homes{Queues: 8 * len(names)}, err
	})
	add("Reached", func(context.Context, activities.ReachedRequest) (activities.Reached, error) {
		return activities.Reached{}, nil
	})
	add("BeginSoak", func(ctx context.Context, r activities.SoakRequest) (time.Time, error) {
		_, err := p.note(ctx, r.Request, "BeginSoak", r.Topics)
		return time.Now().UTC(), err
	})
	add("JudgeSoak", func(ctx context.Context, r activities.SoakRequest) (api.WaveCheck, error) {
		_, err := p.note(ctx, r.Request, "JudgeSoak", r.Topics)
		return api.WaveCheck{TargetPuts: 10, Measured: time.Now().UTC()}, err
	})
	add("MeasureShare", func(ctx context.Context, r activities.ShareRequest) (api.WaveCheck, error) {
		_, err := p.note(ctx, r.Request, "MeasureShare", r.Topics)
		return api.WaveCheck{SourcePuts: 1000, Share: 50, Measured: time.Now().UTC()}, err
	})
	add("AwaitEmpty", func(context.Context, activities.Request) error { return nil })
}

func (p *played) registerBack(add func(string, any)) {
	add("Survey", func(ctx context.Context, r activities.SurveyRequest) (activities.Survey, error) {
		for _, list := range r.RecordedIn {
			if _, err := p.note(ctx, r.Request, "recorded", list); err != nil {
				return activities.Survey{}, err
			}
		}
		p.mu.Lock()
		found := activities.PageFor(r, slices.Clone(p.fenced))
		p.mu.Unlock()
		if r.SourceOnly {
			return found, nil
		}
		var topics []string
		for _, t := range p.found.Topics {
			topics = append(topics, t.Name)
		}
		var err error
		found.MovedTopics, err = activities.NamesFor(ctx, p.settings, r.Request, topics)
		return found, err
	})
	add("AwaitReturnable", func(ctx context.Context, r activities.ReturnRequest) error {
		_, err := p.note(ctx, r.Request, "AwaitReturnable", r.Groups)
		return err
	})
	add("Forget", func(context.Context, activities.GroupsRequest) error { return nil })
	add("AwaitTarget", func(context.Context, activities.Request) error { return nil })
	add("AwaitPending", untilCancelled)
	add("Pending", func(ctx context.Context, r activities.Request) (api.Ledger, error) {
		if p.looks() > p.enough {
			return activities.LedgerFor(ctx, p.settings, r, nil)
		}
		return activities.LedgerFor(ctx, p.settings, r, p.rows())
	})
}
