// Package instance provides the 5.x cluster that a migration leads to.
package instance

import (
	"context"

	"rocketshift/plan"
)

// Instance is a 5.x cluster that can be migrated to.
type Instance struct {
	Provider    string   `json:"provider"`
	Name        string   `json:"name"`
	NameServers []string `json:"nameServers"`
	ProxyGRPC   string   `json:"proxyGrpc,omitempty"`
	Version     string   `json:"version"`
	Cluster     string   `json:"cluster"`
}

// Provider finds and provides instances.
type Provider interface {
	// Describe returns the plan's instance, and whether it exists and serves.
	Describe(ctx context.Context, p plan.Plan) (Instance, bool, error)
	// Purchase provides the plan's instance. Repeated and concurrent calls give the same one.
	Purchase(ctx context.Context, p plan.Plan) (Instance, error)
}

// For returns the provider that the plan names; root is the project's data root.
func For(p plan.Plan, root string) (Provider, error) { panic("stub") }
