package members

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/facts/factstest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remotingtest"
)

func TestSharesOfQueuesAreToldWhereMembersGetNoneOrTwice(t *testing.T) {
	for shares, want := range map[[2]int]string{
		{4, 1}:   "",
		{4, 4}:   "",
		{8, 4}:   "",
		{16, 3}:  "", // six and five
		{9, 4}:   "", // three and two
		{4, 6}:   "2 of 6 members get none of its 4 queues",
		{4, 3}:   "1 of 3 members get two of its 4 queues, the others one",
		{7, 4}:   "3 of 4 members get two of its 7 queues, the others one",
		{0, 4}:   "",
		{12, 12}: "",
	} {
		assert.Equal(t, want, uneven(shares[0], shares[1]), "%v", shares)
	}
}

// group is one with so many members that read a topic with so many queues.
func group(members, queues int) facts.Facts {
	of := clusters.NewConnections()
	told := rocketmq.ConsumerConnections{Topics: []string{"orders", "%RETRY%billing", "left-out"}}
	for i := range members {
		told.Connections = append(
			told.Connections,
			rocketmq.Connection{ClientID: fmt.Sprintf("c%d", i), Version: 407},
		)
	}
	of.Note(told, "127.0.0.1:10911")
	has := map[string]rocketmq.TopicConfig{"broker-a": {ReadQueues: queues, WriteQueues: queues, Perm: 6}}
	return facts.Facts{
		At: at, GroupNames: []string{"billing"}, TopicNames: []string{"orders"},
		Online: map[string]clusters.Connections{"billing": of},
		Topics: clusters.TopicTable{
			"orders": has, "%RETRY%billing": {"broker-a": {ReadQueues: 1, Perm: 6}}, "left-out": {"broker-a": {ReadQueues: 1, Perm: 6}},
		},
	}
}

func TestGroupsWithUnequalSharesAreOneFinding(t *testing.T) {
	all := judged(t, group(6, 4))
	require.Equal(t, []string{"queues-uneven"}, factstest.IDs(all))
	assert.Equal(t, "groups [billing]", all[0].Object)
	assert.Equal(t, api.SeverityAdvice, all[0].Level())
	assert.Equal(t, "group billing, topic orders: 2 of 6 members get none of its 4 queues", all[0].Evidence[0].Fact)
	assert.Len(t, all[0].Evidence, 1, "retry topics have few queues by design, and others don't move")

	everyone := group(6, 4)
	of := everyone.Online["billing"]
	of.Broadcasting = true
	everyone.Online["billing"] = of
	assert.NotContains(t, factstest.IDs(judged(t, everyone)), "queues-uneven", "each member reads all queues")
	assert.Empty(t, judged(t, group(2, 4)))
}

func TestATargetWithOtherQueuesMakesSharesUnequal(t *testing.T) {
	onTarget := func(queues int) []api.Finding {
		target := &remotingtest.Cluster{
			Name: "C5", Broker: "broker-b", Version: "V5_3_3",
			Topics: map[string]remotingtest.Topic{"orders": {Read: queues, Write: queues, Perm: 6}},
		}
		sides := factstest.Sides(t, &remotingtest.Cluster{Name: "C4", Broker: "broker-a", Version: "V4_9_7"}, target)
		seen := group(4, 8)
		var err error
		seen.Target.Brokers, err = sides.Target.FindBrokers(t.Context())
		require.NoError(t, err)
		all, err := Find(t.Context(), sides, seen)
		require.NoError(t, err)
		return all
	}
	assert.Empty(t, onTarget(8))
	all := onTarget(3)
	require.Equal(t, []string{"queues-uneven"}, factstest.IDs(all))
	assert.Equal(t, api.SeverityWarning, all[0].Level())
	assert.Equal(
		t,
		"group billing, topic orders, which has 8 queues on the source: 1 of 4 members get none of its 3 queues",
		all[0].Evidence[0].Fact,
	)
}

func TestClientsThatBrokersDontSeeAreToldOnceForManagedSources(t *testing.T) {
	seen := facts.Facts{
		At:         at,
		GroupNames: []string{"GID_billing", "plain"},
		TopicNames: []string{"MQ_INST_1_a%orders"},
	}
	all := judged(t, seen)
	require.Equal(t, []string{"clients-unseen"}, factstest.IDs(all))
	assert.Equal(t, "such names: GID_billing, MQ_INST_1_a%orders", all[0].Evidence[0].Fact)
	assert.Contains(t, all[0].Next, "GRPC_V1")

	seen.Watched = &facts.Watched{Clients: []facts.Client{{
		Kind: facts.Consumer, Group: "GID_billing", ID: "console", Addr: "console", Language: "GRPC_V1", Last: at,
	}}}
	all = judged(t, seen)
	require.Equal(t, []string{"client-http"}, factstest.IDs(all), "somebody wrote down what the console shows")
	assert.True(t, all[0].Refusal)
	assert.Empty(t, judged(t, facts.Facts{GroupNames: []string{"plain"}}), "no managed source")
}

func TestQuotasOfAManagedTargetAreToldWithWhatIsNeeded(t *testing.T) {
	seen := clean()
	seen.TopicNames = []string{"orders"}
	seen.Plan.Target.Proxy = "10.0.0.9:8080"
	all := judged(t, seen)
	require.Equal(t, []string{"target-quotas"}, factstest.IDs(all))
	assert.Contains(t, all[0].Cause, "1 topics, 1 groups and 2 clients")
}
