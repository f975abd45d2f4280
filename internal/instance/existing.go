package instance

import (
	"context"

	"rocketshift/plan"
)

// Existing finds a cluster that somebody else runs.
type Existing struct{}

// Describe returns the cluster behind the plan's name servers, and whether it serves.
func (e Existing) Describe(ctx context.Context, p plan.Plan) (Instance, bool, error) { panic("stub") }

// Purchase returns the cluster behind the plan's name servers; it buys nothing.
func (e Existing) Purchase(ctx context.Context, p plan.Plan) (Instance, error) { panic("stub") }
