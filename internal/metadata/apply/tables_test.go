package apply

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/metadata"
	"rocketshift/plan"
)

const model = `kind: ClusterMetadata
version: 1
brokers: [{name: a, cluster: C, version: 4.9.7}, {name: b, cluster: C}]
topics:
- {name: orders, type: FIFO, queues: [{broker: a, read: 4, write: 2, perm: 6}, {broker: b, read: 4, write: 4}], attributes: {cleanup.policy: DELETE}}
- {name: summed, sum: {read: 8, write: 8}}
- {name: nothing}
groups:
- {name: plain}
- {name: tuned, orderly: true, consume: false, timeoutMinutes: 3, retry: {maxTimes: 5, queues: 2, policy: EXPONENTIAL, initial: 1000, max: 9000, multiplier: 2, deadLetterTopic: elsewhere}}
- {name: fixed, retry: {policy: FIXED, milliseconds: [3000]}, protocol: HTTP}
subscriptions: [{group: plain, topic: orders}]
order: [{topic: orders, queues: "a:2;b:4"}]
kv: [{namespace: APP, key: k, value: v}]
`

func parsed(t *testing.T) metadata.Cluster {
	t.Helper()
	c, err := metadata.Parse("cluster.yaml", []byte(model))
	require.NoError(t, err)
	return c
}

func TestAModelIsReadAsAClusterTellsIt(t *testing.T) {
	c := parsed(t)
	tables, err := tablesOf(c)
	require.NoError(t, err)
	orders := tables.Topics["orders"]
	assert.Equal(t, []int{4, 2, 6}, []int{orders["a"].ReadQueues, orders["a"].WriteQueues, orders["a"].Perm})
	assert.Equal(t, 6, orders["b"].Perm, "a model without a permission means both")
	assert.Equal(t, map[string]string{"cleanup.policy": "DELETE"}, orders["a"].Attributes)
	assert.Equal(t, clusters.Counts{everyBroker: 8}, tables.Topics.Counts("summed"))
	assert.Empty(t, tables.Topics["nothing"])
	tuned := tables.Groups["tuned"][everyBroker]
	assert.Equal(
		t,
		[]any{true, false, 5, 2},
		[]any{tuned.Orderly, tuned.ConsumeEnable, tuned.RetryMaxTimes, tuned.RetryQueues},
	)
	policy, err := json.Marshal(tuned.Settings()["groupRetryPolicy"])
	require.NoError(t, err)
	assert.JSONEq(
		t,
		`{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1000,"max":9000,"multiplier":2}}`,
		string(policy),
	)
	plain := tables.Groups["plain"][everyBroker]
	assert.Equal(
		t,
		[]any{true, 16, 1},
		[]any{plain.ConsumeEnable, plain.RetryMaxTimes, plain.RetryQueues},
		"as brokers have it",
	)
	assert.NotContains(t, plain.Settings(), "consumeMessageOrderly", "which nobody said")
	assert.Equal(t, "a:2;b:4", tables.KV[metadata.OrderNamespace]["orders"])
	assert.Equal(t, "v", tables.KV["APP"]["k"])
	types, ordered := typesOf(c)
	assert.Equal(t, plan.TypeFIFO, types["orders"])
	assert.True(t, ordered["orders"])
}

func TestWhatNoBrokerTakesOfAModelIsNamed(t *testing.T) {
	var said []string
	for _, gap := range notCarried(parsed(t)) {
		said = append(said, gap.String())
	}
	require.Len(t, said, 5)
	for i, want := range []string{
		"topics without queues", "queues by broker", "protocols of groups", "dead-letter topics", "subscriptions",
	} {
		assert.Contains(t, said[i], want)
	}
}

func TestFlagsThatMeanNothingAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cluster.yaml")
	require.NoError(t, os.WriteFile(file, []byte(model), 0o600))
	none := func(string) (string, bool) { return "", false }
	for says, f := range map[string]Flags{
		"give either --from":    {To: []string{"h:1"}},
		"--to is missing":       {From: []string{"h:1"}},
		"metadata.conflicts":    {File: file, To: []string{"h:1"}, Conflicts: "overwrite"},
		"target.nameServers":    {File: file, To: []string{"nowhere"}},
		"want calls per second": {From: []string{"h:1"}, To: []string{"h:2"}, Rate: -1},
	} {
		_, err := New(f, none)
		assert.ErrorContains(t, err, says)
	}
	run, err := New(Flags{File: file, To: []string{"h:1"}}, none)
	require.NoError(t, err)
	run.Close()
}
