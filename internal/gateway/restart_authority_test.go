package gateway

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq/remoting"
)

// Leases are given by the brokers of both sides, so that gateways go on when one of them is dead.
func TestBothSidesGiveLeases(t *testing.T) {
	g := alone(t)
	g.sides.Brokers[routing.Source].Store(&map[string][]string{"broker-a": {"a:1"}, "broker-a#1": {"a:2"}})
	g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-t": {"t:1"}})
	assert.Equal(t,
		[]routing.Dest{{Side: routing.Source, Broker: "broker-a"}, {Side: routing.Target, Broker: "broker-t"}},
		g.sides.Leasing())
}

// Nobody is told who has a lock, or who is a member, by a side that a restart wouldn't know as the
// authority: on the way there and back, whether this gateway took part or hears of it later.
func TestTheAuthorityChangesForClientsWhenItIsOnDisk(t *testing.T) {
	for _, adopts := range []bool{false, true} {
		for _, to := range []routing.Side{routing.Target, routing.Source} {
			t.Run(fmt.Sprint("to the ", to, ", adopted: ", adopts), func(t *testing.T) {
				g := newGuarded(t, appKeys)
				g.queue(routing.Target)
				g.gateway.table.MoveAuthority(to.Other())
				writes, written := make(chan struct{}), make(chan struct{})
				g.gateway.state.Reached = func(phase string) {
					if phase == store.PhaseWritten {
						close(writes)
						<-written
					}
				}
				done := make(chan error, 1)
				go func() { done <- g.changesAuthority(to, adopts) }()
				<-writes
				locks, members := requests()[remoting.CodeLock], requests()[remoting.CodeMembers]
				g.request(remoting.CodeLock, 0, rightly, nil, locks.body)
				_, g.client = g.gateway.connect(t) // the first one may wait
				g.request(remoting.CodeMembers, 0, rightly, members.fields, "")
				early := ""
				select {
				case f := <-g.source.got:
					early = fmt.Sprint("the source is asked with code ", f.code)
				case f := <-g.target.got:
					early = fmt.Sprint("the target is asked with code ", f.code)
				case <-time.After(50 * time.Millisecond):
				}
				close(written)
				require.NoError(t, <-done)
				require.Empty(t, early, "before it is on disk")
				broker := map[routing.Side]*standIn{routing.Source: g.source, routing.Target: g.target}[to]
				codes := []int{broker.next(t).code, broker.next(t).code}
				assert.ElementsMatch(t, []int{remoting.CodeLock, remoting.CodeMembers}, codes)
			})
		}
	}
}

// changesAuthority has a round change the authority, or takes it over from another gateway.
func (g *guarded) changesAuthority(to routing.Side, adopts bool) error {
	if adopts {
		is := g.gateway.Replica()
		is.Epoch, is.Authority = is.Epoch+1, to.String()
		g.gateway.adopt(g.gateway.ctx, is)
		return nil
	}
	p := g.gateway.rounds
	r := store.Round{
		ID:     "1",
		Kind:   control.KindAuthority,
		To:     to.String(),
		Leader: "a",
		Budget: control.Duration(2 * time.Second),
	}
	if _, err := p.Prepare(g.gateway.ctx, r); err != nil {
		return err
	}
	o := store.Outcome{Epoch: 1, Authority: to.String()}
	return errors.Join(p.Ready(g.gateway.ctx, "1", o), p.Commit(g.gateway.ctx, "1"))
}
