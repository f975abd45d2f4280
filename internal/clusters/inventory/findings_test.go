package inventory

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// shop is a source with two topics: orders, which the orderly group billing reads, and clicks,
// which the group stats once read.
func shop(change func(*look)) *look {
	topic := func(name string) map[string]rocketmq.TopicConfig {
		return map[string]rocketmq.TopicConfig{"broker-a": {Name: name, ReadQueues: 4, WriteQueues: 4, Perm: 6}}
	}
	group := func(name string) map[string]rocketmq.Group {
		return map[string]rocketmq.Group{"broker-a": {Name: name, ConsumeEnable: true}}
	}
	client := func(id string) map[string]clusters.Member {
		return map[string]clusters.Member{
			id: {Connection: rocketmq.Connection{ClientID: id, Addr: "10.0.0.7:4000", Language: "JAVA", Version: 407}},
		}
	}
	inv := &look{
		plan: plan.Plan{
			Name:   "shop",
			Source: plan.Cluster{NameServers: []string{"127.0.0.1:9876"}},
			Target: plan.Target{Provider: "local"},
		}.WithDefaults(),
		brokers: []rocketmq.Broker{{Cluster: "C4", Name: "broker-a", Addr: "127.0.0.1:10911", Version: "4.9.7"}},
		topics: clusters.TopicTable{
			"orders": topic("orders"), "clicks": topic("clicks"), "TBW102": topic("TBW102"),
			"broker-a": topic("broker-a"), "%RETRY%billing": topic("%RETRY%billing"),
			"%DLQ%billing": topic("%DLQ%billing"),
		},
		groups: clusters.GroupTable{
			"billing": group("billing"), "stats": group("stats"), "TOOLS_CONSUMER": group("TOOLS_CONSUMER"),
			"rocketshift-old": group("rocketshift-old"),
		},
		positions: map[string]clusters.Committed{"stats": {"clicks": {{Broker: "broker-a", ID: 0}: 10}}},
		online: map[string]clusters.Connections{
			"billing": {Members: client("c1"), Topics: map[string]bool{"orders": true, "%RETRY%billing": true}},
			"stats":   {},
		},
		producers: map[string]map[string]rocketmq.Connection{
			"shopfront": {"p1": {ClientID: "p1", Language: "GO", Version: 317}},
		},
		orderly:  map[string]bool{"billing": true},
		messages: map[string]int64{"orders": 100, "clicks": 7},
		samples: map[string]metadata.Sample{
			"orders": {Kinds: map[plan.MessageType]bool{}}, "clicks": {Kinds: map[plan.MessageType]bool{}},
		},
		unsampled: map[string]error{},
	}
	if change != nil {
		change(inv)
	}
	return inv
}

func TestInventoryShowsWhatIsSelected(t *testing.T) {
	a := shop(nil).assessment()
	require.Len(t, a.Topics, 2, "system, retry and dead-letter topics aren't selected: %v", a.Topics)
	assert.Equal(t,
		api.Topic{Name: "clicks", Queues: 4, Messages: 7, Type: plan.TypeNormal, Readers: []string{"stats"}},
		a.Topics[0])
	assert.Equal(
		t,
		api.Topic{
			Name:     "orders",
			Queues:   4,
			Messages: 100,
			Type:     plan.TypeNormal,
			Ordered:  true,
			Readers:  []string{"billing"},
		},
		a.Topics[1],
		"a topic that an orderly group reads is ordered",
	)
	require.Len(t, a.Groups, 2, "brokers' and rocketshift's own groups aren't selected: %v", a.Groups)
	assert.Equal(t, api.Group{Name: "billing", Topics: []string{"orders"}, Members: 1, Orderly: true}, a.Groups[0])
	assert.Equal(t, []string{"broker-a"}, a.SourceBrokers)
	assert.Equal(t, "4.9.7", a.SourceVersion)
	require.Len(t, a.Clients, 2)
	assert.Equal(t, "consumer", a.Clients[0].Kind)
	assert.Equal(t, 1, a.Clients[1].Clients)
	assert.Empty(t, shop(nil).findings(nil))
}

func TestPlanOverridesWhatIsInferred(t *testing.T) {
	a := shop(func(inv *look) {
		inv.plan.Topics.Types = map[string]plan.MessageType{"clicks": plan.TypeFIFO}
		inv.plan.Topics.Ordered = []string{"cl*"}
	}).assessment()
	assert.Equal(t, plan.TypeFIFO, a.Topics[0].Type)
	assert.True(t, a.Topics[0].Ordered)
}

// That nothing is told of producers is said, not taken for nobody.
func TestBrokersThatDontListProducersAreAFinding(t *testing.T) {
	found := shop(func(inv *look) { inv.untold = []string{"broker-a", "broker-b"} }).findings(nil)
	require.Len(t, found, 1)
	assert.False(t, found[0].Refusal)
	assert.Contains(t, found[0].Cause, "isn't told by source broker broker-a, broker-b: brokers before 4.9.4")
	assert.Contains(t, found[0].Next, "ledger")
}

func TestWhatIsRenamedMayHaveANameThatTheTargetDoesNotTake(t *testing.T) {
	refused := func(rename *plan.Rename) (objects []string) {
		inv := shop(func(inv *look) {
			inv.topics["eu.orders"], inv.groups["eu.billing"] = inv.topics["orders"], inv.groups["stats"]
			inv.plan.Target.Rename = rename
		})
		for _, f := range inv.findings(nil) {
			if f.Refusal {
				objects = append(objects, f.Object)
			}
		}
		return objects
	}
	assert.Equal(t, []string{"topic eu.orders", "group eu.billing"}, refused(nil))
	assert.Empty(t, refused(&plan.Rename{
		Topics: map[string]string{"eu.orders": "eu-orders"}, Groups: map[string]string{"eu.billing": "eu-billing"},
	}))
}

func TestFindings(t *testing.T) {
	long := strings.Repeat("g", rocketmq.LongestGroup+1)
	for name, c := range map[string]struct {
		change  func(*look)
		target  []rocketmq.Broker
		refusal bool
		object  string
		cause   string
	}{
		"a topic pattern that matches nothing": {
			change:  func(inv *look) { inv.plan.Topics.Include = []string{"orders", "ordrs*"} },
			refusal: true, object: "topics.include[1]", cause: "ordrs*",
		},
		"a group pattern that matches nothing": {
			change:  func(inv *look) { inv.plan.Groups.Include = []string{"*", "biling"} },
			refusal: true, object: "groups.include[1]", cause: "biling",
		},
		"a type for a topic that isn't there": {
			change:  func(inv *look) { inv.plan.Topics.Types = map[string]plan.MessageType{"ordrs": plan.TypeFIFO} },
			refusal: true, object: "topics.types.ordrs",
		},
		"nothing left to migrate": {
			change:  func(inv *look) { inv.plan.Topics.Exclude = []string{"*"}; inv.plan.Groups.Exclude = []string{"*"} },
			refusal: true, object: "topics.include", cause: "no topic",
		},
		"source is the target": {
			target:  []rocketmq.Broker{{Name: "broker-x", Addr: "127.0.0.1:10911"}},
			refusal: true, object: "source broker broker-a", cause: "same cluster",
		},
		"target is a 4.x cluster": {
			target:  []rocketmq.Broker{{Name: "broker-x", Addr: "127.0.0.1:30911", Version: "V4_9_7"}},
			refusal: true, object: "target broker broker-x", cause: "V4_9_7",
		},
		"source is a 5.x cluster": {
			change:  func(inv *look) { inv.brokers[0].Version = "5.3.3" },
			refusal: true, object: "source broker broker-a", cause: "5.3.3",
		},
		"a live group isn't selected": {
			change:  func(inv *look) { inv.plan.Groups.Exclude = []string{"billing"} },
			refusal: true, object: "topic orders", cause: "live group billing",
		},
		"a live group reads a topic that isn't selected": {
			change:  func(inv *look) { inv.plan.Topics.Exclude = []string{"orders"} },
			refusal: true, object: "group billing", cause: "topic orders",
		},
		"a topic's name is too long": {
			change: func(inv *look) {
				inv.topics[strings.Repeat("t", rocketmq.LongestTopic+1)] = inv.topics["orders"]
			},
			refusal: true, object: "topic " + strings.Repeat("t", rocketmq.LongestTopic+1), cause: "5.x doesn't accept",
		},
		"a group's name is too long": {
			change:  func(inv *look) { inv.groups[long] = inv.groups["stats"] },
			refusal: true, object: "group " + long, cause: "5.x doesn't accept",
		},
		"a topic can't be read": {
			change: func(inv *look) {
				inv.topics["clicks"] = map[string]rocketmq.TopicConfig{"broker-a": {Name: "clicks", ReadQueues: 4, WriteQueues: 4, Perm: 2}}
			},
			refusal: true, object: "topic clicks", cause: "permission 2",
		},
		"the lanes' group is an application's": {
			change: func(inv *look) {
				inv.online["rocketshift-shop"] = clusters.Connections{Members: map[string]clusters.Member{"c9": {}}}
			},
			refusal: true, object: "group rocketshift-shop", cause: "used by an application",
		},
		"a group broadcasts": {
			change: func(inv *look) {
				inv.online["billing"] = clusters.Connections{Members: inv.online["billing"].Members, Broadcasting: true}
			},
			object: "group billing", cause: "broadcasts",
		},
		"a group is closed already": {
			change: func(inv *look) {
				inv.groups["stats"] = map[string]rocketmq.Group{"broker-a": {Name: "stats"}}
			},
			object: "group stats", cause: "consumeEnable=false",
		},
		"messages without a body": {
			change: func(inv *look) { inv.samples["clicks"] = metadata.Sample{Empty: 2, Looked: 64} },
			object: "topic clicks", cause: "2 of 64",
		},
		"a topic that can't be sampled": {
			change: func(inv *look) { inv.unsampled["clicks"] = errors.New("no permission") },
			object: "topic clicks", cause: "no permission",
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := shop(c.change).findings(c.target)
			for _, f := range found {
				if f.Object == c.object && strings.Contains(f.Cause, c.cause) {
					assert.Equal(t, c.refusal, f.Refusal, "%+v", f)
					assert.NotEmpty(t, f.Next, "what to do")
					return
				}
			}
			t.Fatalf("wanted a finding on %q saying %q, got %+v", c.object, c.cause, found)
		})
	}
}

func TestRefusalsComeFirst(t *testing.T) {
	found := shop(func(inv *look) {
		inv.samples["clicks"] = metadata.Sample{Empty: 1, Looked: 1}
		inv.plan.Groups.Exclude = []string{"billing"}
	}).findings(nil)
	require.Len(t, found, 2)
	assert.True(t, found[0].Refusal)
	assert.Equal(t, 1, api.Assessment{Findings: found}.Refusals())
}

func TestTopicOfKeyedMessagesIsOrdered(t *testing.T) {
	a := shop(func(inv *look) { inv.samples["clicks"] = metadata.Sample{Keyed: true} }).assessment()
	assert.True(t, a.Topics[0].Ordered)
}
