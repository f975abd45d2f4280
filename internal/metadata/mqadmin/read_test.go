package mqadmin

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata"
)

// The files in testdata are what mqadmin of these versions wrote for a cluster of two brokers. Topic
// orders has 4 and 4 queues on broker-a, 6 and 2 on broker-b; t2 has 8 on each; group g1 has 2 queues
// for retries on each, g2 is on broker-a alone.

func read(t *testing.T, r Reader) (metadata.Cluster, string) {
	t.Helper()
	c, gaps, err := r.Read(t.Context())
	require.NoError(t, err)
	return c, fmt.Sprint(gaps)
}

func TestSumsOverBrokersStaySumsWithoutTheirNames(t *testing.T) {
	c, told := read(t, Reader{Files: []string{"testdata/4.9.7/metadata.json"}})
	require.Equal(t, []string{"orders", "t2"}, []string{c.Topics[0].Name, c.Topics[1].Name})
	require.Equal(t, &metadata.Queues{Read: 10, Write: 6, Perm: 4}, c.Topics[0].Sum)
	require.Equal(t, &metadata.Queues{Read: 16, Write: 16, Perm: 6}, c.Topics[1].Sum)
	require.Nil(t, c.Groups[0].Retry.Queues)
	require.Contains(t, told, "queues of topics: exportMetadata adds up those of all brokers: name the brokers, give "+
		"configs.json too, or export each broker alone (-b) (orders, t2)")
	require.Contains(t, told, "queues of retry topics: exportMetadata adds up those of all brokers (g1, g2)")
}

func TestSumsAreDividedByTheBrokersThatExportConfigsNames(t *testing.T) {
	c, told := read(t, Reader{Files: []string{"testdata/4.9.7/metadata.json", "testdata/4.9.7/configs.json"}})
	require.Equal(
		t,
		[]metadata.Broker{{Name: "broker-a", Cluster: "DefaultCluster"}, {Name: "broker-b", Cluster: "DefaultCluster"}},
		c.Brokers,
	)
	require.Equal(
		t,
		[]metadata.Queues{
			{Broker: "broker-a", Read: 8, Write: 8, Perm: 6},
			{Broker: "broker-b", Read: 8, Write: 8, Perm: 6},
		},
		c.Topics[1].Queues,
	)
	require.Nil(t, c.Topics[1].Sum)
	require.Equal(t, 2, *c.Groups[0].Retry.Queues)
	require.Nil(t, c.Groups[1].Retry.Queues)
	require.Contains(t, told, "an equal share for each of the 2 is assumed")
	require.Contains(
		t,
		told,
		"queues of retry topics: the sum over brokers can't be divided by 2: not each of them has the "+
			"same; export each broker alone (-b) (g2)",
	)
}

func TestSumsAreDividedByTheBrokersThatAreNamed(t *testing.T) {
	c, told := read(t, Reader{Files: []string{"testdata/4.9.7/metadata.json"}, Brokers: []string{"x", "y", "z"}})
	require.Len(t, c.Brokers, 3)
	require.NotNil(t, c.Topics[0].Sum)
	require.Contains(
		t,
		told,
		"can't be divided by 3: not each of them has the same; export each broker alone (-b) (orders, t2)",
	)
}

func TestAttributesOf5xAreRead(t *testing.T) {
	c, _ := read(t, Reader{Files: []string{"testdata/5.3.3/metadata.json"}, Brokers: []string{"a", "b"}})
	require.Equal(t, metadata.MessageType("FIFO"), c.Topics[0].Type)
	require.Nil(t, c.Topics[0].Attributes)
	require.Equal(t, metadata.RetryDefault, c.Groups[0].Retry.Policy)
	require.False(t, *c.Groups[0].Orderly)
}

func TestOneBrokersExportIsRefused(t *testing.T) {
	file := filepath.Join("..", "store", "testdata", "4.9.7", "export-b", "topic.json")
	_, _, err := Reader{Files: []string{file}}.Read(t.Context())
	require.ErrorContains(t, err, "topic.json: it isn't of a whole cluster, as exportMetadata -c writes it")
}
