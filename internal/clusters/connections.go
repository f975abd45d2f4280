package clusters

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// innerProducer is the producer group that stock clients register for themselves, consumers too.
const innerProducer = "CLIENT_INNER_PRODUCER"

// Member is a connected client of a group, and a broker that it is connected to.
type Member struct {
	rocketmq.Connection
	Broker string // address of the broker
}

// Connections is who is connected of one group.
type Connections struct {
	Members      map[string]Member // by client id
	Topics       map[string]bool   // subscribed now
	Broadcasting bool
	FromWhere    string                           // ConsumeFromWhere of the last heartbeat that a broker told of
	uses         map[brokerconfig.Dependents]bool // what of brokers' settings it depends on
	// Subscribed is what members ask for now; empty where nobody is connected.
	Subscribed map[rocketmq.Subscription]bool
}

// NewConnections returns those of a group of which nobody is connected.
func NewConnections() Connections {
	return Connections{
		Members: map[string]Member{}, Topics: map[string]bool{},
		uses: map[brokerconfig.Dependents]bool{}, Subscribed: map[rocketmq.Subscription]bool{},
	}
}

// Note keeps what one broker tells of the group.
func (o *Connections) Note(found rocketmq.ConsumerConnections, addr string) {
	for _, connection := range found.Connections {
		o.Members[connection.ClientID] = Member{connection, addr}
	}
	for _, topic := range found.Topics {
		o.Topics[topic] = true
	}
	o.Broadcasting = o.Broadcasting || found.MessageModel == "BROADCASTING"
	if len(found.Connections) == 0 {
		return
	}
	o.FromWhere = found.ConsumeFromWhere
	o.uses[brokerconfig.Pulling] = o.uses[brokerconfig.Pulling] || found.ConsumeType == "CONSUME_ACTIVELY"
	for _, s := range found.Subscriptions {
		o.Subscribed[s] = true
		o.uses[brokerconfig.ByClass] = o.uses[brokerconfig.ByClass] || s.ByClass
		o.uses[brokerconfig.Filtering] = o.uses[brokerconfig.Filtering] || !s.ByTags()
	}
}

// Pulls reports whether members pull by themselves, as stream processing does.
func (o Connections) Pulls() bool { return o.uses[brokerconfig.Pulling] }

// MembersOf asks every broker for the connected members of each group. Clients behind a proxy are
// known to the proxy alone.
func (c *One) MembersOf(
	ctx context.Context,
	brokers []rocketmq.Broker,
	groups []string,
) (map[string]Connections, error) {
	all := map[string]Connections{}
	var mu sync.Mutex
	err := Each(ctx, groups, func(ctx context.Context, group string) error {
		of := NewConnections()
		for _, b := range brokers {
			found, err := c.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
			if err != nil {
				return err
			}
			of.Note(found, b.Addr)
		}
		mu.Lock()
		defer mu.Unlock()
		all[group] = of
		return nil
	})
	return all, c.Explain(ctx, err)
}

// Addresses of the members, sorted, the first few.
func (o Connections) Addresses() []string {
	var all []string
	for id, m := range o.Members {
		all = append(all, m.Addr+" ("+id+")")
	}
	sort.Strings(all)
	return all[:min(len(all), 5)]
}

// Producers are the connected producers by group, without those that clients register for
// themselves, and the brokers that don't list them.
func (c *One) Producers(
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
			return nil, nil, c.Explain(ctx, err)
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

// UntoldProducers says of which brokers it isn't known who produces; "" if of none.
func UntoldProducers(brokers []string) string {
	if len(brokers) == 0 {
		return ""
	}
	return fmt.Sprintf(
		"who is connected to write isn't told by source broker %s: brokers before 4.9.4 have no list of producers",
		strings.Join(brokers, ", "),
	)
}

// WithMembers are those of the groups that have members on this side.
func (c *One) WithMembers(
	ctx context.Context, brokers []rocketmq.Broker, groups []string,
) (some []string, err error) {
	members, err := c.MembersOf(ctx, brokers, groups)
	for _, group := range groups {
		if len(members[group].Members) > 0 {
			some = append(some, group)
		}
	}
	return some, err
}
