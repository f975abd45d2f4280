// Package instance provides the 5.x cluster to which a migration goes.
//
// A provider has two calls: Describe says whether the plan's instance is there, and Purchase
// provides it. Purchase may cost money or minutes, and is called again after every interruption, so
// it gives the same instance each time.
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
// the jars. keys are those of existing clusters.
func For(p plan.Plan, root string, keys *secrets.Store) (Provider, error) {
	switch p.Target.Provider {
	case plan.ProviderLocal:
		return Local{Root: root}, nil
	case plan.ProviderExisting:
		return Existing{Keys: keys}, nil
	case plan.ProviderAliyun:
		return Aliyun{Secrets: keys}, nil
	default:
		return nil, fmt.Errorf("target.provider %q is unknown: use %s, %s or %s",
			p.Target.Provider, plan.ProviderLocal, plan.ProviderExisting, plan.ProviderAliyun)
	}
}
