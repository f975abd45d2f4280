package activities

import (
	"context"
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Stranded are groups that a move which was cut off left closed on both sides, by the side on which
// they can go on.
type Stranded struct {
	Source []string `json:"source,omitempty"`
	Target []string `json:"target,omitempty"` // their members are there: they had moved
}

// Stranded finds groups that are fenced on the source by rocketshift and closed on the target: where
// a Shift or a Rollback was terminated in the middle of a move. Of a target that doesn't answer for
// as long as Away nothing is known: then groups whose members wait on the source are named.
func (b *Returns) Stranded(ctx context.Context, r SurveyRequest) (Stranded, error) {
	p := r.Plan.WithDefaults()
	if p.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return Stranded{}, nil
	}
	r.SourceOnly, r.ByMark = true, true
	found, err := b.survey(ctx, r)
	if err != nil || len(found.FencedGroups) == 0 {
		return Stranded{}, err
	}
	var all Stranded
	err = unlessAway(ctx, r.Away, func() error {
		all, err = b.stranded(ctx, r.Request, found.FencedGroups)
		return err
	})
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != AwayType {
		return all, err
	}
	source, brokers, err := b.settings.at(ctx, r.Request, Source)
	if err != nil {
		return Stranded{}, err
	}
	waiting, err := source.withMembers(ctx, brokers, found.FencedGroups)
	return Stranded{Source: waiting}, err
}

// stranded sorts the groups that are closed on the target too.
func (b *Returns) stranded(ctx context.Context, r Request, fenced []string) (Stranded, error) {
	target, brokers, err := b.settings.at(ctx, r, Target)
	if err != nil || target.Proxy() != "" { // which closes no group
		return Stranded{}, err
	}
	table, err := target.groupTable(ctx, brokers)
	if err != nil {
		return Stranded{}, err
	}
	closed := slices.DeleteFunc(slices.Clone(fenced),
		func(group string) bool { return table.all(group, true) })
	var all Stranded
	if all.Target, err = target.withMembers(ctx, brokers, closed); err != nil {
		return Stranded{}, err
	}
	all.Source = slices.DeleteFunc(closed,
		func(group string) bool { return slices.Contains(all.Target, group) })
	return all, nil
}

// withMembers are those of the groups that have members on this side.
func (c *cluster) withMembers(
	ctx context.Context, brokers []rocketmq.Broker, groups []string,
) (some []string, err error) {
	members, err := c.membersOf(ctx, brokers, groups)
	for _, group := range groups {
		if len(members[group].members) > 0 {
			some = append(some, group)
		}
	}
	return some, err
}
