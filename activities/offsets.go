package activities

import (
	"context"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
)

// Offsets keeps positions on the side that groups don't read.
type Offsets struct{ settings Settings }

// NewOffsets returns the activities of SyncOffsets.
func NewOffsets(s Settings) *Offsets { return &Offsets{s.withDefaults()} }

// Sync refreshes the target's positions of all groups that have not moved, and the source's of
// those that have, until it is cancelled or its worker stops. It writes no position of a group that
// is closed on the side it reads, open on both, or has members where it would write, nor of one
// that a gateway leads.
func (o *Offsets) Sync(ctx context.Context, r Request) (_ api.SyncProgress, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	var mu sync.Mutex
	var progress api.SyncProgress
	read := func() api.SyncProgress {
		mu.Lock()
		defer mu.Unlock()
		return progress
	}
	stop := beating(ctx, func() any { return read() })
	defer stop()
	err = every(ctx, time.Duration(p.Replicate.SyncInterval), func() error {
		next := read()
		both, err := o.settings.clusters().Both(ctx, p)
		if err == nil {
			err = consumers.Sync(ctx, both, o.settings.clusters().GatewayState, &next)
		}
		next.Rounds, next.At, next.Waiting = next.Rounds+1, time.Now().UTC(), ""
		if err != nil {
			next.Waiting = err.Error()
		}
		mu.Lock()
		progress = next
		mu.Unlock()
		return lasting(err)
	})
	return read(), err
}

// lasting keeps the errors that another round can't change.
func lasting(err error) error {
	if fault.IsFinal(err) {
		return err
	}
	return nil
}
