package inventory

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Before, none of these was told: the target was made writable with all queues.
func TestFindingsAboutWhatClientsSee(t *testing.T) {
	shape := func(read, write, perm int) rocketmq.TopicConfig {
		return rocketmq.TopicConfig{ReadQueues: read, WriteQueues: write, Perm: perm}
	}
	two := []rocketmq.Broker{
		{Name: "x", Addr: "127.0.0.2:1", Version: "5.3.3"},
		{Name: "y", Addr: "127.0.0.2:2", Version: "5.3.3"},
	}
	elsewhere := &rocketmq.Route{
		Queues: []rocketmq.RouteQueue{
			{BrokerName: "broker-a", Read: 4, Write: 4, Perm: 6}, {BrokerName: "b", Read: 8, Write: 8, Perm: 6},
		},
		Brokers: []rocketmq.RouteBroker{{Name: "b", Cluster: "Other"}, {Name: "broker-a", Cluster: "C4"}},
	}
	for name, c := range map[string]struct {
		topic   string // orders is ordered, clicks isn't
		brokers map[string]rocketmq.TopicConfig
		route   *rocketmq.Route // nil: as configured
		target  []rocketmq.Broker
		change  func(*plan.Plan)
		refusal bool
		cause   string // empty: nothing is found
		next    string
	}{
		"all queues": {topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 6)}, target: two[:1]},
		"being shrunk": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 2, 6)}, target: two[:1],
			cause: "source broker a shows them 2 of its 4 queues; the target shows them the same ones",
			next:  "nothing, or end that on the source first",
		},
		"being shrunk on two brokers, one target broker": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 2, 6), "b": shape(4, 2, 6)},
			target: two[:1], refusal: true, cause: "with 1 broker(s): keys would go to other queues",
			next: "at least 2 brokers",
		},
		"the same, not ordered": {
			topic: "clicks", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 2, 6), "b": shape(4, 2, 6)},
			target: two[:1], cause: "they see all of them there", next: "nothing, or end that",
		},
		"the same, two target brokers": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 2, 6), "b": shape(4, 2, 6)},
			target: two, cause: "the target shows them the same ones",
		},
		"no target yet": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 4), "b": shape(4, 4, 6)},
			cause: "broker a shows them none of its 4 queues (permission 4)", next: "give the target at " +
				"least 2 brokers",
		},
		"more to write to": {
			topic: "clicks", brokers: map[string]rocketmq.TopicConfig{"a": shape(2, 4, 6)}, target: two,
			refusal: true, cause: "source broker a has 4 queues to write to and 2 to read from",
			next: "as many queues to read from",
		},
		"order configuration": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 6)}, target: two,
			route:   &rocketmq.Route{Order: "a:2", Queues: []rocketmq.RouteQueue{{BrokerName: "a", Read: 4, Write: 4, Perm: 6}}},
			refusal: true, cause: `order configuration "a:2"`, next: "updateOrderConf -m delete",
		},
		"write permission wiped": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 6)}, target: two,
			route:   &rocketmq.Route{Queues: []rocketmq.RouteQueue{{BrokerName: "a", Read: 4, Write: 4, Perm: 4}}},
			refusal: true, cause: "permission 4 on broker a, which has 4, 4 and 6", next: "addWritePerm",
		},
		"the same of a topic that isn't ordered": {
			topic: "clicks", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 6)}, target: two,
			route: &rocketmq.Route{Queues: []rocketmq.RouteQueue{{BrokerName: "a", Read: 4, Write: 4, Perm: 4}}},
			cause: "permission 4 on broker a",
		},
		"no route": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 6)},
			target: two, route: &rocketmq.Route{},
			refusal: true, cause: "show clients 0 queues to read from, 0 to write to",
		},
		"a broker that is left out": {
			topic: "orders", brokers: map[string]rocketmq.TopicConfig{"a": shape(4, 4, 6)}, target: two,
			route: &rocketmq.Route{Queues: []rocketmq.RouteQueue{
				{BrokerName: "a", Read: 4, Write: 4, Perm: 6}, {BrokerName: "b", Read: 8, Write: 8, Perm: 6},
			}},
			cause: "its 8 queues on broker b, which isn't looked at", next: "keys go to other queues",
		},
		"another cluster of the name servers has it, too": {
			topic: "clicks", brokers: map[string]rocketmq.TopicConfig{"broker-a": shape(4, 4, 6)}, target: two,
			route: elsewhere, change: func(p *plan.Plan) { p.Source.Cluster = "C4" }, refusal: true,
			cause: "its 8 queues on broker b of cluster Other, which isn't looked at",
			next:  "name broker b in source.leftOut",
		},
		"the same, left out": {
			topic: "clicks", brokers: map[string]rocketmq.TopicConfig{"broker-a": shape(4, 4, 6)}, target: two,
			route:  elsewhere,
			change: func(p *plan.Plan) { p.Source.Cluster, p.Source.LeftOut = "C4", []string{"b"} },
			cause:  "broker b of cluster Other", next: "nothing, if the broker is left out on purpose",
		},
		"the same, behind gateways": {
			topic: "clicks", brokers: map[string]rocketmq.TopicConfig{"broker-a": shape(4, 4, 6)}, target: two, route: elsewhere,
			change: func(p *plan.Plan) {
				p.Source.Cluster, p.Source.LeftOut, p.Traffic.Mode = "C4", []string{"b"}, plan.ModeGateway
			},
			refusal: true, cause: "broker b of cluster Other", next: "no group moves that reads queues which " +
				"lanes don't",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inv := shop(func(inv *look) {
				inv.topics[c.topic] = c.brokers
				if c.change != nil {
					c.change(&inv.plan)
				}
				if c.route == nil {
					c.route = &rocketmq.Route{}
					for broker, config := range c.brokers {
						c.route.Queues = append(c.route.Queues, rocketmq.RouteQueue{
							BrokerName: broker, Read: config.ReadQueues, Write: config.WriteQueues, Perm: config.Perm,
						})
					}
				}
				inv.routes = map[string]rocketmq.Route{c.topic: *c.route}
			})
			found := inv.findings(c.target)
			if c.cause == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, "topic "+c.topic, found[0].Object)
			assert.Equal(t, c.refusal, found[0].Refusal, "%+v", found[0])
			assert.Contains(t, found[0].Cause, c.cause)
			assert.Contains(t, found[0].Next, c.next)
		})
	}
}
