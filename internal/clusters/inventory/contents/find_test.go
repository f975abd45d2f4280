package contents

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/facts/factstest"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/plan"
)

func TestRepliesTracesAndLightTopicsAreFoundByAsking(t *testing.T) {
	one := func(n int64) remotingtest.Topic {
		return remotingtest.Topic{Read: 1, Write: 1, Perm: 6, Held: map[int][2]int64{0: {0, n}}}
	}
	find := func(held int64, light string) []api.Finding {
		source := &remotingtest.Cluster{
			Name:    "C4",
			Broker:  "broker-a",
			Version: "V4_9_7",
			Topics: map[string]remotingtest.Topic{
				"C4_REPLY_TOPIC": one(held), "RMQ_SYS_TRACE_TOPIC": one(held), "orders": one(3),
			},
		}
		target := &remotingtest.Cluster{
			Name: "C5", Broker: "broker-b", Version: "V5_5_0",
			More: func(asked *remoting.Command) (remotingtest.Answer, bool) {
				return remotingtest.Answer{
					Body: []byte(`{"topicConfigTable":{"orders":{"topicName":"orders","perm":6,` +
						`"attributes":{"message.type":"` + light + `"}}}}`),
				}, asked.Code == remoting.CodeTopicConfigs
			},
		}
		sides, seen := factstest.Sides(t, source, target), facts.Facts{TopicNames: []string{"orders"}}
		factstest.Tables(t, sides.Source, &seen)
		brokers, err := sides.Target.FindBrokers(t.Context())
		require.NoError(t, err)
		seen.Target.Brokers = brokers
		all, err := Find(t.Context(), sides, seen)
		require.NoError(t, err)
		return all
	}
	all := find(5, "LITE")
	require.Equal(t, []string{"request-reply", "trace-topic", "target-lite"}, factstest.IDs(all))
	assert.Equal(t, "topic C4_REPLY_TOPIC", all[0].Object)
	assert.Equal(t, "5 replies stored", all[0].Evidence[0].Fact)
	assert.Equal(t, api.SeverityAdvice, all[1].Severity)
	assert.True(t, all[2].Refusal)
	assert.Empty(t, find(0, "NORMAL"), "brokers make these topics before anybody uses them")
}

func TestSampledMessagesTellWhatTheTargetDoesNotTake(t *testing.T) {
	with := func(limit string, kind plan.MessageType, extent metadata.Extent) facts.Facts {
		return facts.Facts{
			TopicNames: []string{"orders"}, Types: map[string]plan.MessageType{"orders": kind},
			Samples: map[string]metadata.Sample{"orders": {Looked: 64, Extent: extent}},
			Readers: map[string][]string{"orders": {"billing"}},
			Target: facts.Target{
				Configured: []brokerconfig.Broker{{Name: "b", Values: map[string]string{"maxMessageSize": limit}}},
			},
		}
	}
	for name, c := range map[string]struct {
		seen facts.Facts
		want string // id and severity, in order
		fact string
	}{
		"within all limits": {seen: with("4194304", plan.TypeNormal, metadata.Extent{Body: 4 << 20, Properties: 16 << 10, Entries: 128})},
		"longer than the target takes": {
			with("1048576", plan.TypeNormal, metadata.Extent{Body: 1<<20 + 1}), "message-too-long refusal", "1,048,577 bytes",
		},
		"longer than proxies take": {
			with("8388608", plan.TypeNormal, metadata.Extent{Body: 5 << 20}), "message-too-long warning", "5,242,880 bytes",
		},
		"longer than proxies take, and no target yet": {
			with("", plan.TypeNormal, metadata.Extent{Body: 5 << 20}), "message-too-long warning", "5,242,880 bytes",
		},
		"a long delayed one": {with("", plan.TypeDelay, metadata.Extent{Body: 70 << 10}), "message-too-long advice", "71,680"},
		"a long normal one":  {seen: with("", plan.TypeNormal, metadata.Extent{Body: 70 << 10})},
		"properties of many bytes": {
			with("", plan.TypeNormal, metadata.Extent{Properties: 20 << 10}), "properties-over-proxy warning", "20,480 bytes",
		},
		"many properties": {
			with("", plan.TypeNormal, metadata.Extent{Entries: 129}), "properties-over-proxy warning", "129 properties",
		},
		"requests":      {with("", plan.TypeNormal, metadata.Extent{Requests: 3}), "request-reply warning", "billing"},
		"trace records": {with("", plan.TypeNormal, metadata.Extent{Traces: 60}), "trace-topic warning", "60 of 64"},
	} {
		t.Run(name, func(t *testing.T) {
			var got, facts []string
			for _, f := range append(append(sizesOf(c.seen), repliesOf(c.seen, nil)...), tracesOf(c.seen, nil)...) {
				got = append(got, f.ID+" "+string(f.Severity))
				assert.Equal(t, "topic orders", f.Object)
				facts = append(facts, f.Evidence[0].Fact)
			}
			assert.Equal(t, c.want, strings.Join(got, ", "))
			assert.Contains(t, strings.Join(facts, ", "), c.fact)
		})
	}
}

func TestACustomTraceTopicOfBrokersIsKnownByItsName(t *testing.T) {
	seen := facts.Facts{Configured: []brokerconfig.Broker{{Values: map[string]string{"msgTraceTopicName": "traces"}}}}
	all := tracesOf(seen, map[string]int64{"traces": 4})
	require.Len(t, all, 1)
	assert.Equal(t, "topic traces", all[0].Object)
	assert.Empty(t, tracesOf(facts.Facts{}, map[string]int64{"C4_REPLY_TOPIC": 4}))
}

func TestBrokersWithLightQueuesAreAFinding(t *testing.T) {
	configured := func(lmq string) facts.Facts {
		return facts.Facts{Configured: []brokerconfig.Broker{
			{Name: "broker-a", Values: map[string]string{"enableLmq": lmq}}, {Name: "broker-b"},
		}}
	}
	all := lightQueues(configured("true"))
	require.Len(t, all, 1)
	assert.Equal(t, "source broker broker-a", all[0].Object)
	assert.Empty(t, lightQueues(configured("false")))
}
