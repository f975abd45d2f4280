package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
)

// checks are what is known of clients that reach a side without a gateway, and of brokers that let
// everybody in.
type checks struct {
	split     splitGroups
	whiteList whiteList
	bypassing bypassingProducers
	turn      atomic.Int64 // counts the queues that were looked at for messages past the gateways
}

// Brokers see the gateway's address for all clients behind it. Access control of 4.x lets addresses
// of a white list in without asking who they are (globalWhiteRemoteAddresses in plain_acl.yml). If
// the gateway's own is there, everybody behind it may do everything. That can be seen: such a
// broker has access control (aclEnable) and answers a request that nobody has signed. Brokers of
// 5.x may have ACL 1.0 too; ACL 2.0 has no list of addresses that aren't asked. The gateway looks
// also where it has no account of its own: it may have been put on the list instead of being given
// keys.

// whiteListPause is how often brokers are asked: they read their white lists again when these
// change.
const whiteListPause = time.Minute

// whiteList is the brokers that let everybody in who comes from the gateway.
type whiteList struct {
	mu  sync.Mutex
	why [2]error // of each side
}

// letsEverybodyIn names the broker that doesn't ask who sends what through the gateway; nil if none
// was found.
func (ck *checks) letsEverybodyIn() error {
	ck.whiteList.mu.Lock()
	defer ck.whiteList.mu.Unlock()
	return errors.Join(ck.whiteList.why[:]...)
}

// lookAtWhiteLists asks all brokers of both sides.
func (g *Gateway) lookAtWhiteLists(ctx context.Context) error {
	clients := map[routing.Side]*rocketmq.Client{routing.Source: g.sides.Source.Client()}
	if m := g.sides.Migration.Load(); m != nil {
		clients[routing.Target] = m.TargetCluster.Client()
	}
	var all errgroup.Group
	for on, client := range clients {
		all.Go(func() error { return g.lookAtWhiteListsOf(ctx, on, client) })
	}
	_ = all.Wait() // one of them; it is kept with the others
	return g.checks.letsEverybodyIn()
}

// firstLookAtWhiteLists keeps a gateway that begins for the first time from serving with a source
// that lets everybody in. Later it serves all the same: whoever depends on it would be left without
// brokers.
func (g *Gateway) firstLookAtWhiteLists() error {
	err := g.lookAtWhiteListsOf(g.ctx, routing.Source, g.sides.Source.Client())
	if err == nil || !g.state.First {
		return nil
	}
	return fmt.Errorf("gateway: %w", err)
}

// lookAtWhiteListsOf asks all brokers of a side.
func (g *Gateway) lookAtWhiteListsOf(ctx context.Context, on routing.Side, client *rocketmq.Client) error {
	nobody := rocketmq.NewClient(rocketmq.Options{Dial: g.sides.Dials[on]})
	defer nobody.Close()
	var mu sync.Mutex
	open := map[string]error{}
	var all errgroup.Group
	all.SetLimit(replicas.AskedTogether)
	for _, name := range g.sides.BrokersOf(on) {
		for _, addr := range g.addresses(routing.Dest{Side: on, Broker: name}) {
			all.Go(func() error {
				if isOpen(ctx, client, nobody, addr) {
					mu.Lock()
					open[name] = fmt.Errorf("%s broker %s lets everybody in who comes from the gateway's "+
						"address, without asking for a signature: take that address out of its white list "+
						"(globalWhiteRemoteAddresses in conf/plain_acl.yml), and restart the broker, which "+
						"keeps addresses that were there", on, name)
					mu.Unlock()
				}
				return nil
			})
		}
	}
	_ = all.Wait()
	var found error
	for _, name := range routing.SortedKeys(open) {
		found = errors.Join(found, open[name])
	}
	g.checks.whiteList.mu.Lock()
	defer g.checks.whiteList.mu.Unlock()
	g.checks.whiteList.why[on] = found
	return found
}

// isOpen reports whether a broker has access control, and doesn't use it for who comes from here.
// Of one that can't be asked, it isn't known.
func isOpen(ctx context.Context, client, nobody *rocketmq.Client, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, rounds.AskTime)
	defer cancel()
	config, err := client.BrokerConfig(ctx, addr)
	if err != nil || config["aclEnable"] != "true" {
		return false
	}
	_, err = nobody.Runtime(ctx, addr)
	return err == nil
}

// watchWhiteLists looks again and again. What is found holds up moves to the target, is in the log,
// and in what probes are told.
func (g *Gateway) watchWhiteLists() {
	for said, pause := "", time.Duration(0); sleep.For(g.ctx, pause) == nil; pause = whiteListPause {
		err := g.lookAtWhiteLists(g.ctx)
		if err != nil && said != err.Error() {
			g.log.Error("access control has no effect for clients behind the gateway", "cause", err)
		}
		said = textOf(err)
	}
}
