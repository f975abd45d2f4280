package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory"
	"rocketshift/internal/documents/lists"
)

// Assess reads what there is before anything is bought or written.
type Assess struct{ settings Settings }

// NewAssess returns the activities of Assess.
func NewAssess(s Settings) *Assess { return &Assess{s.withDefaults()} }

// Assess returns the inventory of the source and what speaks against a migration. Refusals are
// findings, not errors; a source that is down is an error that is tried again until it returns.
func (a *Assess) Assess(ctx context.Context, r Request) (_ api.Inventory, err error) {
	defer explained(&err)
	found, err := inventory.Assess(ctx, a.settings.clusters(), r.Plan.WithDefaults(),
		func(text string) { activity.RecordHeartbeat(ctx, text) })
	if err != nil {
		return api.Inventory{}, err
	}
	return lists.Inventory(ctx, a.settings.lists(r), found)
}
