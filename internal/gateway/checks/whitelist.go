package checks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
)

// Checks look for what stands against a move: once before each, and some again and again meanwhile.
type Checks struct {
	log   *slog.Logger
	table *routing.Table
	sides *replicas.Sides
	host  Host

	said      logs.Each[string] // how a group's members share queues can't be seen
	Split     splitGroups
	whiteList whiteList
	Bypassing BypassingProducers
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

// LetsEverybodyIn names the broker that doesn't ask who sends what through the gateway; nil if none
// was found.
func (ck *Checks) LetsEverybodyIn() error {
	ck.whiteList.mu.Lock()
	defer ck.whiteList.mu.Unlock()
	return errors.Join(ck.whiteList.why[:]...)
}

// LookAtWhiteLists asks all brokers of both sides.
func (ck *Checks) LookAtWhiteLists(ctx context.Context) error {
	clients := map[routing.Side]*rocketmq.Client{routing.Source: ck.sides.Source.Client()}
	if m := ck.sides.Migration.Load(); m != nil {
		clients[routing.Target] = m.TargetCluster.Client()
	}
	var all errgroup.Group
	for on, client := range clients {
		all.Go(func() error { return ck.LookAtWhiteListsOf(ctx, on, client) })
	}
	_ = all.Wait() // one of them; it is kept with the others
	return ck.LetsEverybodyIn()
}

// LookAtWhiteListsOf asks all brokers of a side.
func (ck *Checks) LookAtWhiteListsOf(ctx context.Context, on routing.Side, client *rocketmq.Client) error {
	nobody := rocketmq.NewClient(rocketmq.Options{Dial: ck.sides.Dials[on]})
	defer nobody.Close()
	var mu sync.Mutex
	open := map[string]error{}
	var all errgroup.Group
	all.SetLimit(replicas.AskedTogether)
	for _, name := range ck.sides.BrokersOf(on) {
		for _, addr := range ck.host.Addresses(routing.Dest{Side: on, Broker: name}) {
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
	ck.Found(on, found)
	return found
}

// Found takes note of which brokers of a side let everybody in; nil: none does.
func (ck *Checks) Found(on routing.Side, why error) {
	ck.whiteList.mu.Lock()
	defer ck.whiteList.mu.Unlock()
	ck.whiteList.why[on] = why
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

// WatchWhiteLists looks again and again. What is found holds up moves to the target, is in the log,
// and in what probes are told.
func (ck *Checks) WatchWhiteLists(ctx context.Context) {
	for said, pause := "", time.Duration(0); sleep.For(ctx, pause) == nil; pause = whiteListPause {
		err := ck.LookAtWhiteLists(ctx)
		if err != nil && said != err.Error() {
			ck.log.Error("access control has no effect for clients behind the gateway", "cause", err)
		}
		if said = ""; err != nil {
			said = err.Error()
		}
	}
}

// Host is what the checks ask the gateway.
type Host interface {
	// MembersHere are the groups with members behind this gateway; whether they are broadcasting ones.
	MembersHere() map[string]bool
	// MembersOf are the members of a group behind this gateway, by their ids.
	MembersOf(group string) map[string]control.Connected
	// GroupsByAddress are the groups with members here, by the addresses that these come from.
	GroupsByAddress() map[netip.Prefix][]string
	// Fit refuses a round to the target in which clients share that can't follow.
	Fit(r store.Round) (inexact []string, err error)
	// AskPeers asks the other gateways of the migration, until one of them doesn't answer.
	AskPeers(ctx context.Context, ask func(context.Context, control.Peer, *control.Client) error) error
	// OriginsOfAll are the addresses that connections of all gateways come from, and since when.
	OriginsOfAll(ctx context.Context) (known map[netip.AddrPort]bool, since time.Time, err error)
	// Addresses are where a server is looked for.
	Addresses(to routing.Dest) []string
}

// Begin gives the checks what they look at.
func (ck *Checks) Begin(log *slog.Logger, table *routing.Table, sides *replicas.Sides, host Host) {
	ck.log, ck.table, ck.sides, ck.host = log, table, sides, host
	ck.Bypassing.Life = bypassLife
}

// MostRefused is how many clients an error names: who has more of them has one cause most likely.
const MostRefused = 5
