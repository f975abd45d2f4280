package activities

import (
	"context"
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

// Stranded are groups that read on neither side, by the side on which they can go on.
type Stranded struct {
	Source []string `json:"source,omitempty"`
	Target []string `json:"target,omitempty"` // they had moved
	// Asked are open on the target, and their members wait on the source: applications were asked
	// to move, and some may be on their way.
	Asked []string `json:"asked,omitempty"`
	// Away says that the target doesn't answer.
	Away bool `json:"away,omitempty"`
}

// Stranded finds groups that a move which was cut off left without messages: fenced on the source
// by rocketshift, and closed on the target too, or open there while nobody has read there and the
// members wait on the source. It must not run beside a move. Of a target that doesn't answer for as
// long as Away nothing is known: then groups whose members wait on the source are named.
func (b *Returns) Stranded(ctx context.Context, r SurveyRequest) (_ Stranded, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	if p.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return Stranded{}, nil
	}
	r.SourceOnly, r.ByMark = true, true
	found, err := b.survey(ctx, r)
	if err != nil {
		return Stranded{}, err
	}
	fenced, err := lists.Resolve(ctx, b.settings.Store, found.FencedGroups)
	if err != nil || len(fenced) == 0 {
		return Stranded{}, err
	}
	source, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return Stranded{}, err
	}
	waiting, err := source.WithMembers(ctx, brokers, fenced)
	if err != nil {
		return Stranded{}, err
	}
	var all Stranded
	err = unlessAway(ctx, r.Away, func() error {
		all, err = b.stranded(ctx, r.Request, fenced, waiting)
		return err
	})
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == AwayType {
		return Stranded{Source: waiting, Away: true}, nil
	}
	return all, err
}

// stranded sorts the groups that read nowhere. Waiting are those with members on the source.
func (b *Returns) stranded(
	ctx context.Context, r Request, fenced, waiting []string,
) (all Stranded, err error) {
	both, err := b.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil || both.Target.Proxy() != "" { // which closes no group
		return all, err
	}
	m, err := newMover(ctx, both, api.Source)
	if err != nil {
		return all, err
	}
	table, err := both.Target.GroupTable(ctx, m.TargetBrokers)
	if err != nil {
		return all, err
	}
	there, err := both.Target.WithMembers(ctx, m.TargetBrokers, fenced)
	if err != nil {
		return all, err
	}
	for _, group := range fenced {
		open, waits := table.All(group, true), slices.Contains(waiting, group)
		if slices.Contains(there, group) {
			if !open {
				all.Target = append(all.Target, group)
			}
			continue
		}
		read, err := m.hasRead(ctx, group)
		switch {
		case fault.IsNotReady(err): // the lanes are behind, so nobody can tell
			read = open || !waits
		case err != nil:
			return all, err
		}
		switch {
		case read && !open:
			all.Target = append(all.Target, group)
		case !read && !open:
			all.Source = append(all.Source, group)
		case !read && waits:
			all.Asked = append(all.Asked, group)
		}
	}
	return all, nil
}

// hasRead reports whether a group has read on the target beyond where it stands on the source.
func (m *mover) hasRead(ctx context.Context, group string) (bool, error) {
	moves, err := m.moves(ctx, group, m.topicsOf(group))
	if err != nil {
		return false, err
	}
	for _, mv := range m.pending(group, moves) {
		if now, known := m.have[api.Target][group][mv.topic][mv.queue]; known && now > mv.offset {
			return true, nil
		}
	}
	return false, nil
}
