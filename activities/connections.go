package activities

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// innerProducer is the producer group that stock clients register for themselves, consumers too.
const innerProducer = "CLIENT_INNER_PRODUCER"

// member is a connected client of a group, and a broker that it is connected to.
type member struct {
	rocketmq.Connection
	broker string // address of the broker
}

// connections is who is connected of one group.
type connections struct {
	members      map[string]member // by client id
	topics       map[string]bool   // subscribed now
	broadcasting bool
	uses         map[brokerconfig.Dependents]bool // what of brokers' settings it depends on
	// subscribed is what members ask for now; empty where nobody is connected.
	subscribed map[rocketmq.Subscription]bool
}

func newOnline() connections {
	return connections{
		members: map[string]member{}, topics: map[string]bool{},
		uses: map[brokerconfig.Dependents]bool{}, subscribed: map[rocketmq.Subscription]bool{},
	}
}

// note keeps what one broker tells of the group.
func (o *connections) note(found rocketmq.ConsumerConnections, addr string) {
	for _, connection := range found.Connections {
		o.members[connection.ClientID] = member{connection, addr}
	}
	for _, topic := range found.Topics {
		o.topics[topic] = true
	}
	o.broadcasting = o.broadcasting || found.MessageModel == "BROADCASTING"
	if len(found.Connections) == 0 {
		return
	}
	o.uses[brokerconfig.Pulling] = o.uses[brokerconfig.Pulling] || found.ConsumeType == "CONSUME_ACTIVELY"
	for _, s := range found.Subscriptions {
		o.subscribed[s] = true
		o.uses[brokerconfig.ByClass] = o.uses[brokerconfig.ByClass] || s.ByClass
		o.uses[brokerconfig.Filtering] = o.uses[brokerconfig.Filtering] || !s.ByTags()
	}
}

// membersOf asks every broker for the connected members of each group. Clients behind a proxy are
// known to the proxy alone.
func (c *cluster) membersOf(
	ctx context.Context,
	brokers []rocketmq.Broker,
	groups []string,
) (map[string]connections, error) {
	all := map[string]connections{}
	var mu sync.Mutex
	err := each(ctx, groups, func(ctx context.Context, group string) error {
		of := newOnline()
		for _, b := range brokers {
			found, err := c.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
			if err != nil {
				return err
			}
			of.note(found, b.Addr)
		}
		mu.Lock()
		defer mu.Unlock()
		all[group] = of
		return nil
	})
	return all, c.explain(ctx, err)
}

// addresses of the members, sorted, the first few.
func (o connections) addresses() []string {
	var all []string
	for id, m := range o.members {
		all = append(all, m.Addr+" ("+id+")")
	}
	sort.Strings(all)
	return all[:min(len(all), 5)]
}

// producers are the connected producers by group, without those that clients register for
// themselves, and the brokers that don't list them.
func (c *cluster) producers(
	ctx context.Context, brokers []rocketmq.Broker,
) (all map[string]map[string]rocketmq.Connection, untold []string, err error) {
	all = map[string]map[string]rocketmq.Connection{}
	for _, b := range brokers {
		if !b.TellsProducers() {
			untold = append(untold, b.Name)
			continue
		}
		found, err := c.Client().Producers(ctx, b.Addr)
		if remoting.CodeOf(err) == remoting.NotSupported {
			untold = append(untold, b.Name)
			continue
		}
		if err != nil {
			return nil, nil, c.explain(ctx, err)
		}
		for group, connections := range found {
			if group == innerProducer {
				continue
			}
			if all[group] == nil {
				all[group] = map[string]rocketmq.Connection{}
			}
			for _, connection := range connections {
				all[group][connection.ClientID] = connection
			}
		}
	}
	return all, untold, nil
}

func sortedQueues[V any](m map[lane.Queue]V) []lane.Queue {
	all := make([]lane.Queue, 0, len(m))
	for q := range m {
		all = append(all, q)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Broker != all[j].Broker {
			return all[i].Broker < all[j].Broker
		}
		return all[i].ID < all[j].ID
	})
	return all
}

// untoldProducers says of which brokers it isn't known who produces; "" if of none.
func untoldProducers(brokers []string) string {
	if len(brokers) == 0 {
		return ""
	}
	return fmt.Sprintf(
		"who is connected to write isn't told by source broker %s: brokers before 4.9.4 have no list of producers",
		strings.Join(brokers, ", "),
	)
}
