package metadata

import (
	"cmp"
	"slices"
	"strings"

	"rocketshift/internal/metadata/rights"
)

func (b Broker) key() string       { return b.Name }
func (t Topic) key() string        { return t.Name }
func (g Group) key() string        { return g.Name }
func (s Subscription) key() string { return s.Group + " " + s.Topic }
func (o Order) key() string        { return o.Topic }
func (o KV) key() string           { return o.Namespace + " " + o.Key }

// Sort sorts every list by names.
func (c *Cluster) Sort() {
	by(c.Brokers, Broker.key)
	by(c.Topics, Topic.key)
	for _, t := range c.Topics {
		slices.SortStableFunc(t.Queues, func(a, b Queues) int { return cmp.Compare(a.Broker, b.Broker) })
	}
	by(c.Groups, Group.key)
	for _, g := range c.Groups {
		slices.Sort(g.Brokers)
	}
	by(c.Subscriptions, Subscription.key)
	by(c.Order, Order.key)
	by(c.KV, KV.key)
	by(c.Users, userKey)
}

func userKey(u rights.User) string { return u.Name }

func by[T any](all []T, key func(T) string) {
	slices.SortStableFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
}

// QueuesOn are the topic's queues on a broker.
func (t Topic) QueuesOn(broker string) (Queues, bool) {
	i := slices.IndexFunc(t.Queues, func(q Queues) bool { return q.Broker == broker })
	if i < 0 {
		return Queues{}, false
	}
	return t.Queues[i], true
}
