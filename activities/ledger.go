package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/documents/lists"
)

// Ledgers measures what is unfinished on the source.
type Ledgers struct{ settings Settings }

// NewLedgers returns the activities of Finalize.
func NewLedgers(s Settings) *Ledgers { return &Ledgers{s.withDefaults()} }

// Ledger lists what is still unfinished on the source.
func (l *Ledgers) Ledger(ctx context.Context, r Request) (_ api.Ledger, err error) {
	defer explained(&err)
	both, err := l.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return api.Ledger{}, err
	}
	if err := both.Whole(ctx); err != nil {
		return api.Ledger{}, err
	}
	b, err := ledger.Unfinished(ctx, both, func(sum int64) { activity.RecordHeartbeat(ctx, sum) })
	if err != nil {
		return api.Ledger{}, err
	}
	return l.close(ctx, r, b)
}

// close is the ledger as it may stand in a history. What doesn't change keeps its digest: an
// approval is bound to it.
func (l *Ledgers) close(ctx context.Context, r Request, b *ledger.Builder) (api.Ledger, error) {
	ledger := api.Ledger{Rest: b.Sum, Measured: time.Now().UTC()}
	var err error
	if ledger.Rows, err = lists.Bounded(ctx, l.settings.lists(r), "ledger", b.Sorted(), lists.RowsRoom); err != nil {
		return ledger, err
	}
	ledger.Stragglers, err = lists.Bounded(ctx, l.settings.lists(r), "stragglers", b.Late, lists.RowsRoom)
	return ledger, err
}
