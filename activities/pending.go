package activities

import (
	"context"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/ledger"
)

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
