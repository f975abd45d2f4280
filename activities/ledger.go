package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
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
	ledger.Drift, err = lists.Bounded(ctx, l.settings.lists(r), "drift", b.Drift, lists.RowsRoom)
	if err != nil {
		return ledger, err
	}
	ledger.Stragglers, err = lists.Bounded(ctx, l.settings.lists(r), "stragglers", b.Late, lists.RowsRoom)
	return ledger, err
}

// pendingAgain is the least pause between two looks at what is still to come: each reads all lanes.
const pendingAgain = 10 * time.Second

// AwaitPending waits until nothing is to come from the target any more.
func (l *Ledgers) AwaitPending(ctx context.Context, r Request) (err error) {
	defer explained(&err)
	return waiting{}.until(ctx, func() error {
		b, err := l.leftThere(ctx, r)
		if err == nil && b.Sum > 0 {
			most := b.Sorted()[0]
			err = fault.Again(fault.KindNotReady, pendingAgain, nil,
				"%d are still to come from the target, most of all %s %s %d",
				b.Sum, most.Kind, most.Object, most.Rest)
		}
		return err
	})
}

// Pending lists what is still to come from the target after everybody has left it: what its brokers
// deliver later, and what applications wrote there and the reverse lanes haven't copied. Copies of
// what is written on the source meanwhile are no rest, however many there are.
func (l *Ledgers) Pending(ctx context.Context, r Request) (_ api.Ledger, err error) {
	defer explained(&err)
	b, err := l.leftThere(ctx, r)
	if err != nil {
		return api.Ledger{}, err
	}
	left, err := l.close(ctx, r, b)
	if err != nil { // the way back never waits for the store
		r.Bounded = false
		return l.close(ctx, r, b)
	}
	return left, nil
}

func (l *Ledgers) leftThere(ctx context.Context, r Request) (*ledger.Builder, error) {
	both, err := l.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	return ledger.ToCome(ctx, both)
}
