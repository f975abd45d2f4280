package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

// A gateway of several has a lease with the brokers of both sides: a lock of LOCK_BATCH_MQ, made
// for it, which it renews. While any broker renews it, the gateway sends everything: so it does
// when all of the source is dead, and all homes are on the target. If none has done so for long, it
// may have been taken off the migration's list, and the others may have moved on: then it refuses
// sends to ordered topics, and sends all others to their last homes.
//
// Who takes a gateway off the list needs its lease from every broker, for as long as a lease lasts.

const (
	// leaseTime is how long a lease lasts: a broker's locks live for 60 s (RebalanceLockManager),
	// by its own clock.
	leaseTime = 50 * time.Second
	leaseKeep = 10 * time.Second
	// evictTime is how long others must have a gateway's lease before it has surely run out.
	evictTime = 60 * time.Second
)

type lease struct {
	renewing sync.Mutex // held while it is renewed: by its keeper, and where the migration changes
	until    time.Time

	lock func(ctx context.Context, of string) (held, brokers int, err error)

	mu      sync.Mutex
	evicted map[string]time.Time // since when this gateway has the leases of others, by name
}

// leaseKind is what a gateway's lease is locked as.
const leaseKind = "rocketshift-gateway"

// keepLease renews the lease as long as the gateway lives.
func (g *Gateway) keepLease() {
	for {
		g.renewLease()
		if sleep.For(g.ctx, leaseKeep) != nil {
			return
		}
	}
}

func (g *Gateway) renewLease() {
	g.lease.renewing.Lock()
	defer g.lease.renewing.Unlock()
	if len(g.sides.peers()) == 0 {
		g.fenced.Store(false)
		return
	}
	asked := time.Now()
	held, brokers, err := g.lease.lock(g.ctx, g.config.Name)
	if held > 0 {
		g.lease.until = asked.Add(leaseTime)
	}
	over := time.Now().After(g.lease.until)
	if was := g.fenced.Swap(over); was != over {
		if over {
			g.log.Error(
				"no broker of either side renews this gateway's lease: sends to ordered topics are refused",
				"brokers", brokers, "cause", err,
			)
		} else {
			g.log.Info("the gateway has its lease again")
		}
	}
}

// leasing are the brokers that give leases: those of both sides, the source's first, so that one
// side may be dead.
func (bs *bothSides) leasing() (all []routing.Dest) {
	for on := range bs.brokers {
		for _, name := range bs.brokersOf(routing.Side(on)) {
			all = append(all, routing.Dest{Side: routing.Side(on), Broker: name})
		}
	}
	return all
}

// lockLease takes a gateway's lease from all brokers that give leases. A proxy that serves no locks
// gives none.
func (g *Gateway) lockLease(ctx context.Context, of string) (held, brokers int, err error) {
	var mu sync.Mutex
	var asked errgroup.Group // all at once: one that doesn't answer must not use up the others' time
	for _, at := range g.sides.leasing() {
		asked.Go(func() error {
			got, lockErr := g.lockLeaseAt(ctx, at, of)
			mu.Lock()
			defer mu.Unlock()
			if at.Side == routing.Target && g.sides.behindProxy() && remoting.CodeOf(lockErr) == remoting.NotSupported {
				return nil
			}
			brokers++
			if lockErr != nil {
				err = fmt.Errorf("%s broker %s: %w", at.Side, at.Broker, lockErr)
			} else if got {
				held++
			}
			return nil
		})
	}
	_ = asked.Wait()
	return held, brokers, err
}

func (g *Gateway) lockLeaseAt(ctx context.Context, at routing.Dest, of string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*rounds.AskTime)
	defer cancel()
	return g.sides.lockOwn(ctx, at, leaseKind, of, g.config.Name)
}

// evict makes sure that gateways that aren't of the migration any more refuse what could harm. It
// is to be asked again while it isn't sure.
func (g *Gateway) evict(ctx context.Context, gone []control.Peer) error {
	g.lease.mu.Lock()
	defer g.lease.mu.Unlock()
	if g.lease.evicted == nil {
		g.lease.evicted = map[string]time.Time{}
	}
	for _, p := range gone {
		held, brokers, err := g.lease.lock(ctx, p.Name)
		if held < brokers || brokers == 0 {
			delete(g.lease.evicted, p.Name)
			if err != nil {
				return fmt.Errorf(
					"gateway %s isn't in the list any more, and whether it still serves isn't known: %w",
					p.Name, err,
				)
			}
			return fmt.Errorf(
				"gateway %s isn't in the list any more, but still has its lease from %d of %d brokers: stop "+
					"it, then try again",
				p.Name,
				brokers-held,
				brokers,
			)
		}
		since, there := g.lease.evicted[p.Name]
		if !there {
			since = time.Now()
			g.lease.evicted[p.Name] = since
		}
		if left := evictTime - time.Since(since); left > 0 {
			return fmt.Errorf(
				"gateway %s isn't in the list any more: its lease has surely run out in %s, try again then, "+
					"and once before",
				p.Name,
				left.Round(time.Second),
			)
		}
	}
	return nil
}
