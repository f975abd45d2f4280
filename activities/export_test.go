package activities

import (
	"context"

	"rocketshift/api"
)

// What activities answer, for tests that play them: the bounding of it is what is tested.

func InventoryOf(ctx context.Context, s Settings, r Request, a api.Assessment) (api.Inventory, error) {
	return s.withDefaults().inventoryOf(ctx, r, a)
}

func NamesFor(ctx context.Context, s Settings, r Request, names []string) (api.Names, error) {
	return bounded(ctx, s.withDefaults(), r, "names", names, namesRoom)
}

func NamesOf(ctx context.Context, s Settings, n api.Names) ([]string, error) {
	return resolve(ctx, s.withDefaults(), n)
}

func LedgerFor(ctx context.Context, s Settings, r Request, rows []api.LedgerRow) (api.Ledger, error) {
	b := &ledgerBuilder{}
	for _, row := range rows {
		b.enter(row.Kind, row.Object, row.Rest, row.Detail)
	}
	return NewLedgers(s).close(ctx, r, b)
}

func PositionsFor(r Request, all []GroupPositions) []GroupPositions {
	return all[:min(len(all), fewOf(r))]
}

func MembersFor(r Request, all []Members) []Members { return all[:min(len(all), fewOf(r))] }

func PageFor(r SurveyRequest, fenced []string) Survey {
	page, more := r.page(fenced)
	return Survey{FencedGroups: api.Some(page...), MoreFenced: more}
}
