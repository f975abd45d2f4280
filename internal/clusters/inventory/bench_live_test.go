package inventory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// membersEach is after how many groups one has a member.
const membersEach = 10

// crowded gives a 4.9.7 as many topics with 8 queues, groups and positions as the benchmark has, by
// the files that it reads when it starts: made one by one, each would write all again.
func crowded(b *testing.B) *lab.Cluster {
	b.Helper()
	c := labtest.OwnCluster(b, lab.ClusterSpec{
		Version: "4.9.7", Config: map[string]string{"mappedFileSizeConsumeQueue": "6000"}, // 300 messages
	})
	name := c.Brokers[0].Name
	require.NoError(b, c.StopBroker(name))
	topics, groups, offsets := map[string]any{}, map[string]any{}, map[string]any{}
	add := func(topic string, queues int) {
		topics[topic] = map[string]any{
			"topicName": topic, "readQueueNums": queues, "writeQueueNums": queues, "perm": 6, "topicFilterType": "SINGLE_TAG",
			"topicSysFlag": 0, "order": false,
		}
	}
	for i := range manyOf {
		topic, group := fmt.Sprintf("topic-%05d", i), fmt.Sprintf("group-%05d", i)
		add(topic, 8)
		groups[group] = map[string]any{
			"groupName": group, "consumeEnable": true, "consumeFromMinEnable": true, "consumeBroadcastEnable": true,
			"retryQueueNums": 1, "retryMaxTimes": 16, "brokerId": 0, "whichBrokerWhenConsumeSlowly": 1,
			"notifyConsumerIdsChangedEnable": true,
		}
		offsets[topic+"@"+group] = map[string]int{"0": 5, "1": 0, "2": 0, "3": 0, "4": 0, "5": 0, "6": 0, "7": 0}
		if i%membersEach == 0 { // else the first heartbeat makes it, and all topics are written again
			add(rocketmq.RetryTopic(group), 1)
		}
	}
	version := map[string]int64{"timestamp": time.Now().UnixMilli(), "counter": 1}
	for file, content := range map[string]any{
		"topics.json":            map[string]any{"dataVersion": version, "topicConfigTable": topics},
		"subscriptionGroup.json": map[string]any{"dataVersion": version, "subscriptionGroupTable": groups},
		"consumerOffset.json":    map[string]any{"offsetTable": offsets},
	} {
		text, err := json.Marshal(content)
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(c.StoreDir(name), "config", file), text, 0o644))
	}
	require.NoError(b, c.StartBroker(b.Context(), name))
	return c
}

// filled sends so many messages of 1 KiB to one queue of each topic.
func filled(b *testing.B, c *lab.Cluster, messages int) {
	b.Helper()
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	message := rocketmq.BatchMessage{
		Body: make([]byte, 1024), Properties: remoting.EncodeProperties([]remoting.Property{{Name: "UNIQ_KEY", Value: "u"}}),
	}
	request := rocketmq.BatchRequest{Group: "makers", BornTimestamp: time.Now().UnixMilli()}
	for range messages {
		request.Messages = append(request.Messages, message)
	}
	topics := make([]int, manyOf)
	require.NoError(b, clusters.Each(b.Context(), clusters.Indexes(topics), func(ctx context.Context, i int) error {
		one := request
		one.Topic, one.Queue = fmt.Sprintf("topic-%05d", i), 0
		_, err := client.SendBatch(ctx, c.Brokers[0].Addr, one)
		return err
	}))
}

// membered connects one client that is a member of each tenth group, and says how it consumes when it
// is asked.
func membered(b *testing.B, c *lab.Cluster) {
	b.Helper()
	conn, err := net.Dial("tcp", c.Brokers[0].Addr)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	var consumers []map[string]any
	for i := 0; i < manyOf; i += membersEach {
		consumers = append(consumers, map[string]any{
			"groupName": fmt.Sprintf("group-%05d", i), "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
			"consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": false, "subscriptionDataSet": []map[string]any{{
				"topic": fmt.Sprintf("topic-%05d", i), "subString": "*", "subVersion": 1, "expressionType": "TAG",
				"tagsSet": []string{}, "codeSet": []int{}, "classFilterMode": false,
			}},
		})
	}
	body, err := json.Marshal(map[string]any{
		"clientID": "10.0.0.1@bench", "consumerDataSet": consumers, "producerDataSet": []any{},
	})
	require.NoError(b, err)
	frame, err := remoting.AppendFrame(nil, &remoting.Command{
		Code: remoting.CodeHeartbeat, Language: "JAVA", Version: remoting.Version, Opaque: 1, Body: body,
	})
	require.NoError(b, err)
	_, err = conn.Write(frame)
	require.NoError(b, err)
	heard := make(chan int)
	go answer(conn, heard)
	select {
	case code := <-heard:
		require.Equal(b, remoting.Success, code, "the heartbeat's answer")
	case <-time.After(time.Minute):
		b.Fatal("the broker doesn't answer the heartbeat")
	}
}

// answer passes the code of the heartbeat's answer on, then answers what brokers ask.
func answer(conn net.Conn, heard chan<- int) {
	for {
		got, err := remoting.ReadFrame(conn)
		if err != nil {
			return // the benchmark is over
		}
		switch {
		case got.Response():
			heard <- got.Code
		case got.Code == remoting.CodeRunningInfo:
			frame, err := remoting.AppendFrame(nil, &remoting.Command{
				Language: "JAVA", Version: remoting.Version, Opaque: got.Opaque, Flag: remoting.FlagResponse,
				Body: []byte(`{"mqTable":{},"properties":{"PROP_CONSUMEORDERLY":"false"}}`),
			})
			if err == nil {
				_, _ = conn.Write(frame)
			}
		}
	}
}

// BenchmarkAssessOfARealBroker assesses 10,000 topics with messages and 10,000 groups, of which 1,000
// have a member, on a real 4.9.7, towards a real 5.3.3 that has none of them.
func BenchmarkAssessOfARealBroker(b *testing.B) {
	source := crowded(b)
	target := labtest.OwnCluster(b, lab.ClusterSpec{Name: "Target", Version: "5.3.3", BrokerNames: []string{"broker-b"}})
	filled(b, source, 20)
	membered(b, source)
	p := between(source.NameServers[0], target.NameServers[0])
	for b.Loop() {
		before, err := source.CPU()
		require.NoError(b, err)
		got := assess(b, p)
		after, err := source.CPU()
		require.NoError(b, err)
		b.ReportMetric((after - before).Seconds(), "source-cpu-s")
		members := 0
		for _, g := range got.Groups {
			members += g.Members
		}
		require.Equal(b, manyOf/membersEach, members)
		require.Equal(b, int64(20*manyOf), api.Summarize(got).Messages)
	}
}
