package store

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
)

func TestAStoreTellsItsBroker(t *testing.T) {
	for version, topics := range map[string]int{"4.9.7": 2, "5.3.3": 3} {
		r, err := Folder("", filepath.Join("testdata", version, "broker-b"))
		require.NoError(t, err)
		c, gaps, err := r.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, []metadata.Broker{{Name: "broker-b", Cluster: "DefaultCluster"}}, c.Brokers, version)
		require.Len(t, c.Topics, topics, "RocketMQ's own are left out: %v", c.Topics)
		orders := c.Topics[topics-2]
		require.Equal(t, "orders", orders.Name)
		require.Equal(
			t,
			[]metadata.Queues{{Broker: "broker-b", Read: 6, Write: 2, Perm: orders.Queues[0].Perm}},
			orders.Queues,
		)
		require.True(t, *orders.Order)
		require.Len(t, c.Groups, 1)
		require.Equal(t, 3, *c.Groups[0].Retry.MaxTimes)
		require.Contains(t, fmt.Sprint(gaps), "order configuration and other KV: a broker's files don't tell them")
	}
}

func TestAnExportOfOneBrokerNeedsItsName(t *testing.T) {
	r := Reader{Files: []string{"testdata/4.9.7/export-b/topic.json"}}
	_, _, err := r.Read(t.Context())
	require.ErrorContains(t, err, "topic.json: it doesn't tell the broker's name: give it, as in broker-a=testdata/")
	r.Broker = "broker-a"
	c, _, err := r.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, []metadata.Queues{{Broker: "broker-a", Read: 4, Write: 4, Perm: 6}}, c.Topics[0].Queues)
}

func TestANameServersFileTellsTheOrderConfiguration(t *testing.T) {
	r, err := Folder("", "testdata/4.9.7/nameserver")
	require.NoError(t, err)
	c, _, err := r.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, []metadata.Order{{Topic: "orders", Queues: "broker-a:4;broker-b:2"}}, c.Order)
	require.Equal(t, []metadata.KV{{Namespace: "NS", Key: "k", Value: "v w"}}, c.KV)
}

func TestAFolderWithoutAStoreIsAnError(t *testing.T) {
	_, err := Folder("", t.TempDir())
	require.ErrorContains(t, err, "it has no topics.json")
}
