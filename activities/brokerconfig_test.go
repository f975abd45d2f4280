package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/rocketmq"
)

func TestGroupsDependOnSettingsByWhatTheirMembersSay(t *testing.T) {
	member := []rocketmq.Connection{{ClientID: "c1"}}
	seen := func(told ...rocketmq.ConsumerConnections) online {
		of := newOnline()
		for _, one := range told {
			of.note(one, "127.0.0.1:10911")
		}
		return of
	}
	all := map[string]online{
		"tags":   seen(rocketmq.ConsumerConnections{Connections: member, ConsumeType: "CONSUME_PASSIVELY"}),
		"filter": seen(rocketmq.ConsumerConnections{Connections: member, Expressions: []string{"SQL92"}}),
		"second": seen(rocketmq.ConsumerConnections{Connections: member},
			rocketmq.ConsumerConnections{Connections: member, Expressions: []string{"SQL92"}}),
		"pull": seen(rocketmq.ConsumerConnections{Connections: member, ConsumeType: "CONSUME_ACTIVELY"}),
		"old":  seen(rocketmq.ConsumerConnections{Connections: member, ByClass: true}),
		"gone": seen(rocketmq.ConsumerConnections{Expressions: []string{"SQL92"}}),
		"else": seen(rocketmq.ConsumerConnections{Connections: member, Expressions: []string{"SQL92"}}),
	}
	groups := []string{"filter", "gone", "old", "pull", "second", "tags", "unknown"}
	assert.Equal(t, brokerconfig.Uses{
		brokerconfig.Filtering: {"filter", "second"},
		brokerconfig.ByClass:   {"old"},
		brokerconfig.Pulling:   {"pull"},
	}, usesOf(all, groups), "of the selected groups with members, by all brokers' words")
}
