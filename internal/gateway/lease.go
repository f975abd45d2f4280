package gateway

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// A gateway's lease is a lock of LOCK_BATCH_MQ at the brokers of both sides (package rounds).

// leaseKind is what a gateway's lease is locked as.
const leaseKind = "rocketshift-gateway"

// newLease is the gateway's lease.
func (g *Gateway) newLease() *rounds.Lease {
	return &rounds.Lease{
		Name: g.config.Name, Lock: g.lockLease, Alone: func() bool { return len(g.sides.Peers()) == 0 }, Log: g.log,
	}
}

// lockLease takes a gateway's lease from all brokers that give leases. A proxy that serves no locks
// gives none.
func (g *Gateway) lockLease(ctx context.Context, of string) (held, brokers int, err error) {
	var mu sync.Mutex
	var asked errgroup.Group // all at once: one that doesn't answer must not use up the others' time
	for _, at := range g.sides.Leasing() {
		asked.Go(func() error {
			got, lockErr := g.lockLeaseAt(ctx, at, of)
			mu.Lock()
			defer mu.Unlock()
			if at.Side == routing.Target && g.sides.BehindProxy() && remoting.CodeOf(lockErr) == remoting.NotSupported {
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
	return g.sides.LockOwn(ctx, at, leaseKind, of, g.config.Name)
}
