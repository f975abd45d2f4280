package inventory

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func TestGroupsDependOnSettingsByWhatTheirMembersSay(t *testing.T) {
	member := []rocketmq.Connection{{ClientID: "c1"}}
	bySQL := []rocketmq.Subscription{{Topic: "orders", Filter: rocketmq.Filter{Kind: "SQL92"}}}
	byClass := []rocketmq.Subscription{{Topic: "orders", ByClass: true}}
	seen := func(told ...rocketmq.ConsumerConnections) clusters.Connections {
		of := clusters.NewConnections()
		for _, one := range told {
			of.Note(one, "127.0.0.1:10911")
		}
		return of
	}
	all := map[string]clusters.Connections{
		"tags":   seen(rocketmq.ConsumerConnections{Connections: member, ConsumeType: "CONSUME_PASSIVELY"}),
		"filter": seen(rocketmq.ConsumerConnections{Connections: member, Subscriptions: bySQL}),
		"second": seen(rocketmq.ConsumerConnections{Connections: member},
			rocketmq.ConsumerConnections{Connections: member, Subscriptions: bySQL}),
		"pull": seen(rocketmq.ConsumerConnections{Connections: member, ConsumeType: "CONSUME_ACTIVELY"}),
		"old":  seen(rocketmq.ConsumerConnections{Connections: member, Subscriptions: byClass}),
		"gone": seen(rocketmq.ConsumerConnections{Subscriptions: bySQL}),
		"else": seen(rocketmq.ConsumerConnections{Connections: member, Subscriptions: bySQL}),
	}
	groups := []string{"filter", "gone", "old", "pull", "second", "tags", "unknown"}
	assert.Equal(t, brokerconfig.Uses{
		brokerconfig.Filtering: {"filter", "second"},
		brokerconfig.ByClass:   {"old"},
		brokerconfig.Pulling:   {"pull"},
	}, clusters.UsesOf(all, groups), "of the selected groups with members, by all brokers' words")
}

func TestTopicsWithTransactionsDependOnTheirBeingTaken(t *testing.T) {
	with := func(kinds ...plan.MessageType) func(*look) {
		return func(inv *look) {
			for _, kind := range kinds {
				inv.samples["orders"].Kinds[kind] = true
			}
		}
	}
	only := brokerconfig.Uses{brokerconfig.Transacting: {"orders"}}
	assert.Empty(t, shop(with(plan.TypeNormal)).uses())
	assert.Equal(t, only, shop(with(plan.TypeTransaction)).uses())
	assert.Equal(t, only, shop(with(plan.TypeTransaction, plan.TypeNormal)).uses(), "of several types")
	assert.Empty(t, shop(func(inv *look) {
		with(plan.TypeTransaction)(inv)
		inv.plan.Topics.Types = map[string]plan.MessageType{"orders": plan.TypeNormal}
	}).uses(), "a person knows better")
}
