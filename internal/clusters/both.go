package clusters

import (
	"context"
	"errors"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// Both are both clusters of a plan, open.
type Both struct {
	Plan           plan.Plan
	Source, Target *One
	Translator     *positions.Positions
}

// At returns the cluster of a side.
func (s Both) At(side api.Side) *One {
	if side == api.Target {
		return s.Target
	}
	return s.Source
}

// About is the side that a call of a lane failed on, as lanes ask both; otherwise the given one.
func (s Both) About(otherwise api.Side, err error) *One {
	var failed *replica.SideError
	if errors.As(err, &failed) {
		otherwise = api.Side(failed.Side)
	}
	return s.At(otherwise)
}

// Explain is what a call of a lane failed with: of the side that it failed on.
func (s Both) Explain(ctx context.Context, err error) error {
	return s.About(api.Target, err).Explain(ctx, err)
}
