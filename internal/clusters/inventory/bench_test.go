package inventory_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/inventory"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// manyOf is how many topics, and how many groups, the benchmarks have: what Assess must do in 30 s.
const manyOf = 10_000

// large is a cluster with so many topics and groups, of which each tenth has a member.
func large(name, broker, version string, many int) *remotingtest.Cluster {
	c := &remotingtest.Cluster{
		Name: name, Broker: broker, Version: version,
		Topics: map[string]remotingtest.Topic{}, Groups: map[string]bool{},
		Offsets: map[string]map[int]int64{}, Members: map[string]string{},
		Config: map[string]string{"maxMessageSize": "4194304", "fileReservedTime": "72"},
		More: func(asked *remoting.Command) (remotingtest.Answer, bool) {
			return remotingtest.Answer{Body: []byte(`{"mqTable":{},"properties":{"PROP_CONSUMEORDERLY":"false"}}`)},
				asked.Code == remoting.CodeRunningInfo
		},
	}
	message := remoting.Message{
		Body: make([]byte, 1024), StoreTimestamp: time.Now().UnixMilli(), BornTimestamp: time.Now().UnixMilli(),
		Properties: remoting.EncodeProperties(
			[]remoting.Property{{Name: "KEYS", Value: "k"}, {Name: "UNIQ_KEY", Value: "u"}},
		),
	}
	for i := range many {
		topic, group := fmt.Sprintf("topic-%05d", i), fmt.Sprintf("group-%05d", i)
		held := map[int][2]int64{}
		for queue := range 8 {
			held[queue] = [2]int64{0, int64(i%200) + 10}
		}
		c.Topics[topic] = remotingtest.Topic{Read: 8, Write: 8, Perm: 6, Held: held, Message: message}
		c.Groups[group] = true
		c.Offsets[topic+"@"+group] = map[int]int64{0: 5, 1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 5, 7: 5}
		if i%10 == 0 {
			c.Members[group] = fmt.Sprintf(
				`{"connectionSet":[{"clientAddr":"10.0.0.1:1","clientId":"c%d","language":"JAVA",`+
					`"version":407}],"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY",`+
					`"messageModel":"CLUSTERING","subscriptionTable":{%q:{"expressionType":"TAG","subString":"*"}}}`,
				i,
				topic,
			)
		}
	}
	return c
}

// BenchmarkAssessOfManyTopics assesses 10,000 topics and 10,000 groups of a cluster that answers by
// the wire and does nothing else, towards a target that has none of them.
func BenchmarkAssessOfManyTopics(b *testing.B) {
	source, target := large("C4", "broker-a", "V4_9_7", manyOf), large("C5", "broker-b", "V5_3_3", 0)
	p := between(source.Start(b), target.Start(b))
	for b.Loop() {
		assess(b, p)
	}
}

func between(source, target string) plan.Plan {
	return plan.Plan{
		Name: "bench", Source: plan.Cluster{NameServers: []string{source}},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: []string{target}},
	}.WithDefaults()
}

// assess runs Assess once, and tells its time and the most memory that it had.
func assess(b *testing.B, p plan.Plan) api.Assessment {
	b.Helper()
	store, err := secrets.New("", os.Getenv)
	require.NoError(b, err)
	pool := connect.NewPool()
	defer pool.Close()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	peak, done := watchHeap()
	begun := time.Now()
	got, err := inventory.Assess(b.Context(), connect.Opener{Pool: pool, Secrets: store}, p, func(string) {})
	took := time.Since(begun)
	close(done)
	require.NoError(b, err)
	require.Len(b, got.Topics, manyOf)
	require.Len(b, got.Groups, manyOf)
	b.ReportMetric(took.Seconds(), "s")
	b.ReportMetric(float64(<-peak-before.HeapAlloc)/(1<<20), "MiB-heap")
	b.ReportMetric(float64(len(got.Findings)), "findings")
	return got
}

// watchHeap tells the most bytes of objects until done is closed.
func watchHeap() (peak chan uint64, done chan struct{}) {
	peak, done = make(chan uint64, 1), make(chan struct{})
	go func() {
		most := uint64(0)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
			select {
			case <-done:
				peak <- most
				return
			case <-tick.C:
			}
		}
	}()
	return peak, done
}
