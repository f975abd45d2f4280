// Package instance provides the 5.x cluster that a migration leads to.
//
// A provider answers two questions: is the plan's instance there, and: please make it be there. The
// second may cost money or minutes and is asked again after every interruption, so its answer is
// the same instance each time.
package instance

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// Provider finds and provides instances.
type Provider interface {
	// Describe returns what is known of the plan's instance, and whether it is there and serves.
	Describe(ctx context.Context, p plan.Plan) (api.Instance, bool, error)
	// Purchase returns the plan's instance when it serves. Repeated and concurrent calls give the
	// same one.
	Purchase(ctx context.Context, p plan.Plan) (api.Instance, error)
}

// For returns the provider that the plan names. root is the folder that holds .run, and .cache with
// the jars. keys are those of clusters that exist.
func For(p plan.Plan, root string, keys *secrets.Store) (Provider, error) {
	switch p.Target.Provider {
	case plan.ProviderLocal:
		return Local{Root: root}, nil
	case plan.ProviderExisting:
		return Existing{Keys: keys}, nil
	default:
		return nil, fmt.Errorf("target.provider %q is unknown: use %s or %s",
			p.Target.Provider, plan.ProviderLocal, plan.ProviderExisting)
	}
}
