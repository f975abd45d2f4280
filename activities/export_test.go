package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
)

// What activities answer, for tests that play them: the bounding of it is what is tested.

func InventoryOf(ctx context.Context, s Settings, r Request, a api.Assessment) (api.Inventory, error) {
	return lists.Inventory(ctx, s.withDefaults().lists(r), a)
}

func NamesFor(ctx context.Context, s Settings, r Request, names []string) (api.Names, error) {
	return lists.Bounded(ctx, s.withDefaults().lists(r), "names", names, lists.NamesRoom)
}

func NamesOf(ctx context.Context, s Settings, n api.Names) ([]string, error) {
	return lists.Resolve(ctx, s.withDefaults().Store, n)
}

func LedgerFor(ctx context.Context, s Settings, r Request, rows []api.LedgerRow) (api.Ledger, error) {
	b := &ledger.Builder{}
	for _, row := range rows {
		b.Enter(row.Kind, row.Object, row.Rest, row.Detail)
	}
	return NewLedgers(s).close(ctx, r, b)
}

func PositionsFor(r Request, all []consumers.Positions) []consumers.Positions {
	return all[:min(len(all), fewOf(r))]
}

func MembersFor(r Request, all []measure.Members) []measure.Members {
	return all[:min(len(all), fewOf(r))]
}

func PageFor(r SurveyRequest, fenced []string) Survey {
	page, more := r.page(fenced)
	return Survey{FencedGroups: api.Some(page...), MoreFenced: more}
}
