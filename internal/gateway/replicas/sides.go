package replicas

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// Sides is what is known of the two clusters: their servers, limits and clocks, and the
// migration between them.
type Sides struct {
	Source     *rocketmq.Cluster
	Migration  atomic.Pointer[Migration]
	Intended   atomic.Pointer[control.Migration]      // that is to be on disk before it counts
	Brokers    [2]atomic.Pointer[map[string][]string] // addresses by name; of slaves by name#id
	Clusters   [2]clusterNames
	Targets    atomic.Pointer[[]string]          // target brokers in the order of their tags
	Limits     atomic.Pointer[map[string]Limits] // of target brokers; nil while none has said them
	LimitsHere atomic.Pointer[map[string]Limits] // of source brokers
	Dials      [2]rocketmq.Dial                  // to servers of both sides; nil: in plain text
	Origins    origins
	Reach      reach
	Clocks     clocks
}

// BrokersOf are the masters of a side.
func (bs *Sides) BrokersOf(on routing.Side) (names []string) {
	if all := bs.Brokers[on].Load(); all != nil {
		for _, name := range routing.SortedKeys(*all) {
			if !strings.Contains(name, "#") {
				names = append(names, name)
			}
		}
	}
	return names
}

// Ordered reports whether a topic's order must hold even while gateways can't agree.
func (bs *Sides) Ordered(topic string) bool {
	m := bs.Migration.Load()
	return m != nil && (m.Ordered == nil || m.OrderedTopics[topic])
}

// Registered are the masters of both sides that name servers know now.
func (bs *Sides) Registered(ctx context.Context, m *Migration) (both [2]map[string]bool, err error) {
	for on, c := range [2]*rocketmq.Cluster{bs.Source, m.TargetCluster} {
		brokers, err := c.Brokers(ctx)
		if err != nil {
			return both, fmt.Errorf("%s: %w", routing.Side(on), err)
		}
		both[on] = map[string]bool{}
		for _, b := range brokers {
			both[on][b.Name] = true
		}
	}
	return both, nil
}

// Peers are the other gateways of the migration.
func (bs *Sides) Peers() []control.Peer {
	m := bs.Migration.Load()
	if m == nil {
		return nil
	}
	return m.Others
}

// BehindProxy reports whether the target's brokers are reached through a proxy.
func (bs *Sides) BehindProxy() bool {
	m := bs.Migration.Load()
	return m != nil && m.Proxy != ""
}

// StoresAt is the side on which a message for a queue is stored: at its home, but for half messages
// whose end the target wouldn't learn.
func (bs *Sides) StoresAt(home routing.Side, properties []byte) routing.Side {
	if home == routing.Target && bytes.Contains(properties, []byte("TRAN_MSG")) && bs.BehindProxy() {
		return routing.Source
	}
	return home
}

// Greeted are the target brokers that get clients' heartbeats: of those behind a proxy, the one
// that was known first.
func (bs *Sides) Greeted() []string {
	if all := *bs.Targets.Load(); bs.BehindProxy() && len(all) > 0 {
		return all[:1]
	}
	return bs.BrokersOf(routing.Target)
}

// Ours reports whether a group is one of the migration's own.
func (bs *Sides) Ours(group string) bool {
	m := bs.Migration.Load()
	return m != nil && m.Owns(group)
}

// Leasing are the brokers that give leases: those of both sides, the source's first, so that one
// side may be dead.
func (bs *Sides) Leasing() (all []routing.Dest) {
	for on := range bs.Brokers {
		for _, name := range bs.BrokersOf(routing.Side(on)) {
			all = append(all, routing.Dest{Side: routing.Side(on), Broker: name})
		}
	}
	return all
}

// ownLock is something of our own that a broker can lock: a queue that nobody has. A proxy sends a
// request for locks to the broker that its first queue names (ConsumerManagerActivity, 5.3.3).
func (bs *Sides) ownLock(at routing.Dest, kind, name string) []rocketmq.MessageQueue {
	if at.Side == routing.Target && bs.BehindProxy() {
		return []rocketmq.MessageQueue{{Topic: kind + "/" + name, Broker: at.Broker}}
	}
	return []rocketmq.MessageQueue{{Topic: kind, Broker: name}}
}

// LockOwn takes something of our own at a broker for a client id, if nobody else has it.
func (bs *Sides) LockOwn(ctx context.Context, at routing.Dest, kind, name, as string) (got bool, err error) {
	l, err := bs.Lanes()
	if err != nil {
		return false, err
	}
	broker, err := l.Clusters[at.Side].Broker(ctx, at.Broker)
	if err != nil {
		return false, err
	}
	held, err := l.Clusters[at.Side].Client().
		LockQueues(ctx, broker.Addr, l.Migration.LaneGroup, as, bs.ownLock(at, kind, name))
	return len(held) == 1, err
}

// KnownAddresses are where the brokers of both sides were seen last; nil where none was.
func (bs *Sides) KnownAddresses() map[string]store.Addresses {
	all := map[string]store.Addresses{}
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		if known := bs.Brokers[on].Load(); known != nil && len(*known) > 0 {
			all[on.String()] = *known
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
