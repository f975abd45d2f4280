package access

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/facts/factstest"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
)

func configured(name, setting, value string) []brokerconfig.Broker {
	return []brokerconfig.Broker{{Name: name, Values: map[string]string{setting: value}}}
}

func TestWhatACL1AllowsByAddressAloneIsFound(t *testing.T) {
	find := func(acl string, answer remotingtest.Answer) []api.Finding {
		source := &remotingtest.Cluster{
			Name: "C4", Broker: "broker-a", Version: "V4_9_7",
			More: func(asked *remoting.Command) (remotingtest.Answer, bool) {
				return answer, asked.Code == remoting.CodeACLConfig
			},
		}
		sides, seen := factstest.Sides(
			t,
			source,
			nil,
		), facts.Facts{
			Configured: configured("broker-a", "aclEnable", acl),
		}
		factstest.Tables(t, sides.Source, &seen)
		all, err := Find(t.Context(), sides, seen)
		require.NoError(t, err)
		return all
	}
	account := func(global, address string) remotingtest.Answer {
		return remotingtest.Answer{
			Body: []byte(`{"globalWhiteAddrs":[` + global + `],"plainAccessConfigs":[{"accessKey":"shop-app",` +
				`"secretKey":"12345678","whiteRemoteAddress":"` + address + `","admin":false,"defaultTopicPerm":"DENY",` +
				`"defaultGroupPerm":"DENY"}]}`),
		}
	}
	all := find("true", account(`"10.0.0.*"`, "10.1.0.7"))
	require.Equal(t, []string{"acl-white-list", "acl-white-list"}, factstest.IDs(all))
	assert.Equal(t, "10.0.0.*", all[0].Evidence[0].Fact)
	assert.Equal(t, "shop-app (10.1.0.7)", all[1].Evidence[0].Fact)
	assert.Empty(t, find("true", account("", "")))
	assert.Empty(t, find("false", account(`"10.0.0.*"`, "10.1.0.7")), "nobody checks it")
	all = find("true", remotingtest.Answer{Code: remoting.NotSupported, Remark: "request type 54 not supported"})
	assert.Equal(t, []string{"acl-untold"}, factstest.IDs(all), "4.9.8 and later")
}

func TestATargetThatLetsEverybodyInIsFound(t *testing.T) {
	seen := facts.Facts{Configured: configured("broker-a", "aclEnable", "true")}
	assert.Empty(t, openTarget(seen), "there is none yet")
	seen.Target.Configured = configured("broker-b", "authenticationEnabled", "false")
	assert.Equal(t, []string{"target-open"}, factstest.IDs(openTarget(seen)))
	seen.Target.Configured = configured("broker-b", "authenticationEnabled", "true")
	assert.Empty(t, openTarget(seen))
	seen.Target.Configured = []brokerconfig.Broker{{Name: "broker-b", Unknown: "a proxy"}}
	assert.Empty(t, openTarget(seen), "it isn't told")
	assert.Empty(t, openTarget(facts.Facts{Target: facts.Target{Configured: configured("broker-b", "x", "y")}}))
}

func TestNamesOfInstancesAreFound(t *testing.T) {
	with := func(topic, group string) facts.Facts {
		return facts.Facts{TopicNames: []string{topic}, GroupNames: []string{group}}
	}
	all := instanceNames(with("MQ_INST_12_ab%orders", "billing"))
	require.Len(t, all, 1)
	assert.Equal(t, "MQ_INST_12_ab%orders", all[0].Evidence[0].Fact)
	assert.Empty(t, instanceNames(with("eu%orders", "MQ_INST_12")))
}

func TestMembersThatDealQueuesByBrokersNamesAreFound(t *testing.T) {
	with := func(strategy string) facts.Facts {
		return facts.Facts{
			GroupNames: []string{"billing"},
			Members:    map[string]map[string]facts.Member{"billing": {"a": {Strategy: strategy}, "b": {}}},
		}
	}
	const of = "org.apache.rocketmq.client.consumer.rebalance."
	for _, usual := range []string{"", of + "AllocateMessageQueueAveragely", of + "AllocateMessageQueueAveragelyByCircle"} {
		assert.Empty(t, allocations(with(usual)), usual)
	}
	byHash := allocations(with(of + "AllocateMessageQueueConsistentHash"))
	require.Len(t, byHash, 1)
	assert.Equal(t, api.SeverityAdvice, byHash[0].Level(), "each queue still has one member")
	for _, own := range []string{of + "AllocateMessageQueueByMachineRoom", of + "AllocateMessageQueueByConfig", "com.shop.OwnWay"} {
		all := allocations(with(own))
		require.Len(t, all, 1, own)
		assert.Equal(t, "group billing", all[0].Object)
		assert.Contains(t, all[0].Evidence[0].Fact, "1 of 2 members asked")
	}
}
