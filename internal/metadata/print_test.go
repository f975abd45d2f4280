package metadata

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	goyaml "go.yaml.in/yaml/v2"

	"rocketshift/internal/metadata/rights"
)

// large is a cluster of so many topics and groups on two brokers, as the largest users have.
func large(n int) Cluster {
	c := New(Origin{Door: "cluster", Of: "10.0.0.1:9876"})
	c.Brokers = []Broker{{Name: "broker-a", Cluster: "C"}, {Name: "broker-b", Cluster: "C"}}
	no, yes, times, queues, zero := false, true, 16, 1, int64(0)
	for i := range n {
		topic, group := fmt.Sprintf("orders-eu-%05d", i), fmt.Sprintf("billing-eu-%05d", i)
		c.Topics = append(c.Topics, Topic{
			Name: topic, Type: "NORMAL", Order: &no, Filter: "SINGLE_TAG",
			Queues: []Queues{{"broker-a", 8, 8, 6}, {"broker-b", 8, 8, 6}},
		})
		c.Groups = append(c.Groups, Group{
			Name: group, Consume: &yes, Broadcast: &yes, FromMin: &yes, Notify: &yes, BrokerID: &zero,
			Retry: Retry{MaxTimes: &times, Queues: &queues},
		})
		c.Subscriptions = append(c.Subscriptions, Subscription{
			Group: group, Topic: topic, Type: "TAG", Expression: "*", Seen: SeenMembers,
		})
	}
	c.Sort()
	return c
}

// BenchmarkDocument writes 10,000 topics, groups and subscriptions.
func BenchmarkDocument(b *testing.B) {
	c := large(10_000)
	for name, print := range map[string]func() ([]byte, error){"YAML": c.YAML, "JSON": c.JSON} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text, err := print()
				require.NoError(b, err)
				b.SetBytes(int64(len(text)))
			}
		})
	}
}

// byWayOfJSON is the document as the library makes it of the whole JSON.
func byWayOfJSON(t *testing.T, c Cluster) string {
	t.Helper()
	text, err := c.JSON()
	require.NoError(t, err)
	var tree goyaml.MapSlice
	require.NoError(t, goyaml.Unmarshal(text, &tree))
	text, err = goyaml.Marshal(tree)
	require.NoError(t, err)
	return string(text)
}

func TestYAMLHasTheKeysAndValuesOfJSON(t *testing.T) {
	odd := large(3)
	odd.Topics[0].Attributes = map[string]string{"+b": "yes", "a": "0x10", "c": "~", "d": "line\nline", "e": "", "é": "ü "}
	odd.Topics[1].Remark = strings.Repeat("a remark that is longer than a line may be ", 12)
	odd.Topics[2].Attributes, odd.Topics[2].Queues = map[string]string{}, []Queues{}
	odd.Groups[0].Brokers, odd.Groups[0].Retry.Milliseconds = []string{"broker-a", "null"}, []int64{1000, 1 << 40}
	odd.Origin.Measured = time.Date(2026, 11, 30, 12, 0, 0, 5, time.UTC)
	odd.KV = []KV{{"NS", "k: v", "- [x, {y}] # 'z' \"q\""}, {"NS", "on", "2026-11-30"}}
	odd.Users = []rights.User{{Name: "a b", Type: rights.Super, Status: rights.Enabled, Rights: []rights.Right{{}}}}
	for name, c := range map[string]Cluster{
		"empty": New(Origin{}), "zero": {}, "odd": odd, "one chunk": large(together), "chunks": large(2*together + 1),
	} {
		text, err := c.YAML()
		require.NoError(t, err)
		require.Equal(t, byWayOfJSON(t, c), string(text), name)
	}
}
