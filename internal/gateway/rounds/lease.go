package rounds

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/sleep"
)

// A gateway of several has a lease with the brokers of both sides: a lock, made for it, which it
// renews. While any broker renews it, the gateway sends everything: so it does when all of the
// source is dead, and all homes are on the target. If none has done so for long, it may have been
// taken off the migration's list, and the others may have moved on: then it refuses sends to
// ordered topics, and sends all others to their last homes.
//
// Who takes a gateway off the list needs its lease from every broker, for as long as a lease lasts.

const (
	// LeaseTime is how long a lease lasts: a broker's locks live for 60 s (RebalanceLockManager),
	// by its own clock.
	LeaseTime = 50 * time.Second
	leaseKeep = 10 * time.Second
	// evictTime is how long others must have a gateway's lease before it has surely run out.
	evictTime = 60 * time.Second
)

// Lease is a gateway's lease with the brokers of both sides.
type Lease struct {
	Name string // of the gateway
	// Lock takes a gateway's lease from all brokers that give leases. It returns how many gave it,
	// of how many, and why another one didn't answer.
	Lock func(ctx context.Context, of string) (held, brokers int, err error)
	// Alone reports whether no other gateway could move on.
	Alone func() bool
	Log   *slog.Logger

	fenced   atomic.Bool
	renewing sync.Mutex // held while it is renewed: by its keeper, and where the migration changes
	until    time.Time

	mu      sync.Mutex
	evicted map[string]time.Time // since when this gateway has the leases of others, by name
}

// Fenced reports whether the lease has run out.
func (l *Lease) Fenced() bool { return l.fenced.Load() }

// Keep renews the lease until the context ends.
func (l *Lease) Keep(ctx context.Context) {
	for {
		l.Renew(ctx)
		if sleep.For(ctx, leaseKeep) != nil {
			return
		}
	}
}

// Renew renews the lease.
func (l *Lease) Renew(ctx context.Context) {
	l.renewing.Lock()
	defer l.renewing.Unlock()
	if l.Alone() {
		l.fenced.Store(false)
		return
	}
	asked := time.Now()
	held, brokers, err := l.Lock(ctx, l.Name)
	if held > 0 {
		l.until = asked.Add(LeaseTime)
	}
	over := time.Now().After(l.until)
	if was := l.fenced.Swap(over); was == over {
		return
	}
	if over {
		l.Log.Error("no broker of either side renews this gateway's lease: sends to ordered topics are refused",
			"brokers", brokers, "cause", err)
		return
	}
	l.Log.Info("the gateway has its lease again")
}

// Evict makes sure that gateways that aren't of the migration any more refuse what could harm. It
// is to be asked again while it isn't sure.
func (l *Lease) Evict(ctx context.Context, gone []control.Peer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.evicted == nil {
		l.evicted = map[string]time.Time{}
	}
	for _, p := range gone {
		held, brokers, err := l.Lock(ctx, p.Name)
		if held < brokers || brokers == 0 {
			delete(l.evicted, p.Name)
			if err != nil {
				return fmt.Errorf("gateway %s isn't in the list any more, and whether it still serves isn't known: %w",
					p.Name, err)
			}
			return fmt.Errorf("gateway %s isn't in the list any more, but still has its lease from %d of %d brokers: "+
				"stop it, then try again", p.Name, brokers-held, brokers)
		}
		since, there := l.evicted[p.Name]
		if !there {
			since = time.Now()
			l.evicted[p.Name] = since
		}
		if left := evictTime - time.Since(since); left > 0 {
			return fmt.Errorf("gateway %s isn't in the list any more: its lease has surely run out in %s, try again "+
				"then, and once before", p.Name, left.Round(time.Second))
		}
	}
	return nil
}
