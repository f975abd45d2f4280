package assess

import (
	"context"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/inventory"
	"rocketshift/internal/failure"
	"rocketshift/plan"
)

// Run is one assessment of a plan.
type Run struct {
	Plan   plan.Plan
	opener connect.Opener
	flags  Flags
}

// New is an assessment that has asked nothing yet.
func New(p plan.Plan, f Flags, lookupEnv func(string) (string, bool), root string) (*Run, error) {
	opener, err := f.opener(lookupEnv, root)
	if err != nil {
		return nil, err
	}
	return &Run{Plan: p.WithDefaults(), opener: opener, flags: f}, nil
}

// Close closes the connections.
func (r *Run) Close() { r.opener.Pool.Close() }

// Assess looks once, and tells how far it is.
func (r *Run) Assess(ctx context.Context, now func() time.Time, tell func(string)) (api.Assessment, Report, error) {
	began := now()
	watched, err := r.watched()
	if err != nil {
		return api.Assessment{}, Report{}, failure.Usage("", "%w", err)
	}
	a, err := inventory.AssessWatched(ctx, r.opener, r.Plan, watched, tell)
	if err != nil {
		return a, Report{}, err
	}
	return a, ReportOf(a, r.Plan.Source.NameServers, now().Sub(began)), nil
}
