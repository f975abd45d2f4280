package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// What a real target has otherwise is a conflict, and what it doesn't take is said; nothing of it
// where the target is empty.
func TestLongConflictsWithARealTargetAreFound(t *testing.T) {
	cluster := labtest.OwnCluster(t, lab.ClusterSpec{Version: "5.3.3", BrokerNames: []string{"broker-target"}})
	source, w := sourceOf(6)
	p := testPlan("")
	both := clusters.Both{
		Plan: p, Source: source.one(t, api.Source, p), Target: realSide(t, api.Target, cluster),
	}
	found := func() map[string]string {
		t.Helper()
		o, err := Compare(t.Context(), both, w)
		require.NoError(t, err)
		all := map[string]string{}
		for _, f := range append(o.Conflicts, o.Warnings...) {
			all[f.ID] = f.Object + ": " + f.Cause
		}
		return all
	}
	assert.Empty(t, found(), "an empty target")

	client, broker := both.Target.Client(), cluster.Brokers[0].Addr
	require.NoError(t, client.CreateTopic(t.Context(), broker, rocketmq.TopicConfig{
		Name: "t0002", ReadQueues: 1, WriteQueues: 1, Perm: 6,
	}))
	require.NoError(t, client.PutGroup(t.Context(), broker, rocketmq.Group{
		Name: "g0002", ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true, RetryQueues: 1, RetryMaxTimes: 9,
		WhichBrokerWhenSlow: 1, NotifyChanged: true,
	}))
	require.NoError(t, client.PutKV(t.Context(), cluster.NameServers[0], "APP", "k", "another"))
	got, err := client.Call(t.Context(), broker, &remoting.Command{
		Code: remoting.CodeUpdateBrokerConfig, Body: []byte("brokerPermission=4\n"),
	})
	require.NoError(t, err)
	require.Equal(t, remoting.Success, got.Code, got.Remark)
	w.Types["t0003"] = plan.TypeMixed
	source.kv[rocketmq.OrderNamespace]["t0004"] = "nonsense"
	is := found()
	for id, says := range map[string]string{
		"target-broker-closed":   "target broker broker-target: has brokerPermission=4",
		"topic-exists-otherwise": "topic t0002: the source has 4 queues (a 2, b 2) and the target 1 (broker-target 1)",
		"group-exists-otherwise": "group g0002: exists on target broker broker-target with retryMaxTimes",
		"key-exists-otherwise":   `is "another", wanted is "v"`,
		"mixed-refused":          "topic t0003: holds messages of several types, and the target's brokers don't accept type MIXED",
		"order-not-carried":      `topic t0004: its order configuration "nonsense" isn't brought over`,
	} {
		assert.Contains(t, is[id], says, id)
	}
}
