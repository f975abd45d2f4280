package metadata

import (
	"fmt"
	"slices"
	"testing"
	"time"

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

func TestMain(m *testing.M) { labtest.Main(m) }

// realSide is a real cluster as a worker opens it.
func realSide(t testing.TB, side api.Side, cluster *lab.Cluster) *clusters.One {
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	return &clusters.One{Cluster: rocketmq.NewCluster(client, cluster.NameServers), Side: side}
}

// prefixed are names of one test, as others use the same clusters.
func prefixed(w Wanted, source *fakeSide, prefix string) Wanted {
	for _, b := range source.brokers {
		topics, groups := map[string]map[string]any{}, map[string]map[string]any{}
		for name, topic := range b.topics {
			topic["topicName"] = prefix + name
			topics[prefix+name] = topic
		}
		for name, group := range b.groups {
			group["groupName"] = prefix + name
			groups[prefix+name] = group
		}
		b.topics, b.groups = topics, groups
	}
	renamed := Wanted{Types: map[string]plan.MessageType{}, Ordered: map[string]bool{}, KV: w.KV}
	for i := range w.Topics {
		renamed.Topics, renamed.Groups = append(
			renamed.Topics,
			prefix+w.Topics[i],
		), append(
			renamed.Groups,
			prefix+w.Groups[i],
		)
	}
	for name, kind := range w.Types {
		renamed.Types[prefix+name] = kind
	}
	for name, is := range w.Ordered {
		renamed.Ordered[prefix+name] = is
	}
	for namespace, all := range source.kv {
		prefixes := map[string]string{}
		for key, value := range all {
			prefixes[prefix+key] = value
		}
		source.kv[namespace] = prefixes
	}
	return renamed
}

// Lists stop with success at the first topic that is as wanted, on 5.3.3 and 5.5.0: what comes after
// it is made all the same, and everything reads back.
func TestLongTopicsAndGroupsAreAppliedToRealBrokersByLists(t *testing.T) {
	for _, version := range []string{"5.3.3", "5.5.0"} {
		t.Run(version, func(t *testing.T) {
			cluster := labtest.Cluster(t, version)
			source, w := sourceOf(40)
			w = prefixed(w, source, "metadata-lists-")
			p := testPlan(plan.DecisionChange)
			both := clusters.Both{
				Plan:   p,
				Source: source.one(t, api.Source, p),
				Target: realSide(t, api.Target, cluster),
			}
			target := cluster.Brokers[0]
			client := both.Target.Client()
			defer removed(t, both, w)

			same := rocketmq.TopicConfig{Name: w.Topics[3], ReadQueues: 4, WriteQueues: 4, Perm: 6}
			require.NoError(t, client.CreateTopic(t.Context(), target.Addr, same))
			other := rocketmq.TopicConfig{Name: w.Topics[4], ReadQueues: 4, WriteQueues: 4, Perm: 6}
			require.NoError(t, client.CreateTopics(t.Context(), target.Addr, []rocketmq.TopicConfig{same, other}))
			table, err := both.Target.TopicTable(t.Context(), brokersOf(t, both.Target), nil)
			require.NoError(t, err)
			require.Empty(t, table[other.Name], "the fault is still there: the list stopped at the identical topic")

			group, err := rocketmq.GroupOf(w.Groups[7], map[string]any{
				"retryMaxTimes": 9, "consumeMessageOrderly": true, "consumeTimeoutMinute": 3, "retryQueueNums": 1,
			})
			require.NoError(t, err)
			require.NoError(t, client.PutGroup(t.Context(), target.Addr, group))

			done, err := Apply(t.Context(), both, w, func(api.ApplyProgress) {})
			require.NoError(t, err)
			assert.Len(t, done.MissingTopics, 39)
			assert.Len(t, done.MissingGroups, 39)
			assert.Len(t, done.ChangedGroups, 1)
			table, err = both.Target.TopicTable(t.Context(), brokersOf(t, both.Target), nil)
			require.NoError(t, err)
			for _, name := range w.Topics {
				require.Equal(t, 4, table[name][target.Name].WriteQueues, name)
			}
			assert.Equal(t, plan.TypeFIFO, MessageType(table[w.Topics[1]][target.Name]))
			assert.Equal(t, rocketmq.PermRead, table[w.Topics[1]][target.Name].Perm)
			groups, err := client.Groups(t.Context(), target.Addr)
			require.NoError(t, err)
			changed := groups[w.Groups[7]].Settings()
			assert.EqualValues(t, []any{true, "3", "2"}, []any{
				changed["consumeMessageOrderly"], fmt.Sprint(changed["consumeTimeoutMinute"]), fmt.Sprint(changed["retryMaxTimes"]),
			}, "settings of 5.x stay")
			kv, err := client.KVList(t.Context(), cluster.NameServers[0], rocketmq.OrderNamespace)
			require.NoError(t, err)
			assert.Equal(t, target.Name+":3", kv[w.Topics[0]], "a:2 and b:1, one after the other on the only broker")
			assert.NotContains(t, kv, w.Topics[1], "an ordered topic gets its own when it is opened")

			again, err := Apply(t.Context(), both, w, func(api.ApplyProgress) { t.Error("a second run writes") })
			require.NoError(t, err)
			assert.Equal(t, 80, again.Same)
		})
	}
}

func brokersOf(t *testing.T, c *clusters.One) []rocketmq.Broker {
	t.Helper()
	found, err := c.FindBrokers(t.Context())
	require.NoError(t, err)
	return found
}

// removed takes away what the test made.
func removed(t *testing.T, both clusters.Both, w Wanted) {
	for _, b := range brokersOf(t, both.Target) {
		for _, topic := range w.Topics {
			assert.NoError(t, both.Target.Client().DeleteTopic(t.Context(), b.Addr, topic))
		}
	}
	for _, ns := range both.Target.NameServers() {
		for _, topic := range w.Topics[:2] {
			assert.NoError(t, both.Target.Client().DeleteKV(t.Context(), ns, rocketmq.OrderNamespace, topic))
		}
	}
}

// manyOf is how many topics, and how many groups, the benchmark has.
const manyOf = 10_000

// BenchmarkApply brings 10,000 topics and 10,000 groups to one broker of 5.3.3, as ImportMetadata
// does: a thousand in one chunk, read back.
func BenchmarkApply(b *testing.B) {
	source, w := sourceOf(manyOf)
	cluster := labtest.OwnCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1})
	p := testPlan("")
	both := clusters.Both{Plan: p, Source: source.one(b, api.Source, p), Target: realSide(b, api.Target, cluster)}
	for b.Loop() {
		b.ReportMetric(applyAll(b, both, w, 1).Seconds(), "s")
		b.ReportMetric(applyAll(b, both, w, 0).Seconds(), "s-again")
	}
	_, err := both.Target.Client().TopicConfigs(b.Context(), cluster.Brokers[0].Addr)
	require.Equal(b, -1, remoting.CodeOf(err))
}

// applyAll applies everything in chunks, of which each object is made, or was there, and returns how
// long that took.
func applyAll(b *testing.B, both clusters.Both, w Wanted, made int) time.Duration {
	b.Helper()
	begun := time.Now()
	for _, topics := range []bool{false, true} {
		names := w.Groups
		if topics {
			names = w.Topics
		}
		for part := range slices.Chunk(names, 1000) {
			chunk := Wanted{Types: w.Types, Ordered: w.Ordered}
			if topics {
				chunk.Topics = part
			} else {
				chunk.Groups = part
			}
			done, err := Apply(b.Context(), both, chunk,
				func(api.ApplyProgress) {})
			require.NoError(b, err)
			require.Equal(b, made*len(part), len(done.MissingGroups)+len(done.MissingTopics))
		}
	}
	return time.Since(begun)
}
