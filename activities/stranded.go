package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

// Stranded finds groups that a move which was cut off left without messages: fenced on the source
// by rocketshift, and closed on the target too, or open there while nobody has read there and the
// members wait on the source. It must not run beside a move. Of a target that doesn't answer for as
// long as Away nothing is known: then groups whose members wait on the source are named.
func (b *Returns) Stranded(ctx context.Context, r SurveyRequest) (_ consumers.Stranded, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	if p.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return consumers.Stranded{}, nil
	}
	r.SourceOnly, r.ByMark = true, true
	found, err := b.survey(ctx, r)
	if err != nil {
		return consumers.Stranded{}, err
	}
	fenced, err := lists.Resolve(ctx, b.settings.Store, found.FencedGroups)
	if err != nil || len(fenced) == 0 {
		return consumers.Stranded{}, err
	}
	source, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return consumers.Stranded{}, err
	}
	waiting, err := source.WithMembers(ctx, brokers, fenced)
	if err != nil {
		return consumers.Stranded{}, err
	}
	var all consumers.Stranded
	err = unlessAway(ctx, r.Away, func() error {
		both, err := b.settings.clusters().Both(ctx, p)
		if err == nil {
			all, err = consumers.FindStranded(ctx, both, fenced, waiting)
		}
		return err
	})
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == AwayType {
		return consumers.Stranded{Source: waiting, Away: true}, nil
	}
	return all, err
}
