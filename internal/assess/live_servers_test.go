package assess

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	rmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// dirty is a source of two brokers of 4.9.7 and one of 4.7.1 with two name servers, and a target.
type dirty struct {
	source
	old    rocketmq.Broker
	b      rocketmq.Broker
	target *lab.Cluster
}

// forget has one name server forget a topic, until something of its broker changes.
func (d dirty) forget(nameServer, topic string) {
	d.Helper()
	const deleteInNameServer = 216 // RequestCode
	got, err := d.client.Call(d.Context(), nameServer, &remoting.Command{
		Code: deleteInNameServer, Fields: map[string]string{"topic": topic},
	})
	require.NoError(d, err)
	require.Equal(d, remoting.Success, got.Code, got.Remark)
}

// letIn has brokers with ACL 1.0 let everybody in from this machine, as their file says.
func letIn(t *testing.T, c *lab.Cluster) {
	t.Helper()
	const file = "globalWhiteRemoteAddresses:\n- 127.0.0.1\n" +
		"accounts:\n- accessKey: shop-application\n  secretKey: \"12345678\"\n  whiteRemoteAddress: 10.1.0.7\n"
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	for _, b := range c.Brokers {
		require.NoError(t, os.WriteFile(filepath.Join(c.Dir, b.Name, "conf", "plain_acl.yml"), []byte(file), 0o600))
	}
	require.EventuallyWithT(t, func(l *assert.CollectT) {
		for _, b := range c.Brokers {
			_, err := client.TopicConfigs(t.Context(), b.Addr)
			assert.NoError(l, err)
		}
	}, time.Minute, 200*time.Millisecond, "brokers read the file again as it changes")
}

func dirtyServers(t *testing.T) dirty {
	t.Helper()
	ports, err := lab.FreePorts(2)
	require.NoError(t, err)
	names := []string{fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1])}
	both := strings.Join(names, ";")
	hours := make([]string, 24)
	for i := range hours {
		hours[i] = fmt.Sprintf("%02d", i)
	}
	labtest.OwnCluster(t, lab.ClusterSpec{
		Version: "4.7.1", BrokerNames: []string{"broker-old"}, NameServerPort: ports[1], Config: map[string]string{
			"namesrvAddr": both, "mappedFileSizeCommitLog": "1048576", "fileReservedTime": "0",
			"deleteWhen": strings.Join(hours, ";"), "diskMaxUsedSpaceRatio": "10",
		},
	})
	c := labtest.OwnCluster(t, lab.ClusterSpec{
		Version: "4.9.7", Brokers: 2, NameServerPort: ports[0],
		Admin: &lab.Account{AccessKey: "administrator", SecretKey: "12345678"},
		Config: map[string]string{
			"namesrvAddr": both, "traceTopicEnable": "true", "maxMessageSize": "8388608",
			"enableLmq": "true", "enableMultiDispatch": "true",
		},
	})
	letIn(t, c)
	d := dirty{target: labtest.OwnCluster(t, lab.ClusterSpec{
		Version: "5.5.0", BrokerNames: []string{"broker-target"}, Config: map[string]string{"timerWheelEnable": "false"},
	})}
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	found := map[string]rocketmq.Broker{}
	require.EventuallyWithT(t, func(l *assert.CollectT) {
		for _, name := range names {
			known, err := rocketmq.NewCluster(client, []string{name}).Brokers(t.Context())
			assert.NoError(l, err)
			assert.Len(l, known, 3, "at name server %s", name)
			for _, b := range known {
				found[b.Name] = b
			}
		}
	}, time.Minute, 200*time.Millisecond, "broker-old registers anew each 10 s")
	d.source = source{t, client, found["broker-a"], names}
	d.old, d.b = found["broker-old"], found["broker-b"]
	return d
}

// fill makes topics, groups and messages.
func (d dirty) fill() {
	d.Helper()
	for _, topic := range []string{
		"asks", "fat", "long", "later", "traced", "own-traces", "idle", "known-once", "rooms", "MQ_INST_1234_abcd%orders",
		"lite", "left", "unlike",
	} {
		d.topic(topic)
	}
	put := func(b rocketmq.Broker, change func(*rocketmq.TopicConfig), name string) {
		config := rocketmq.TopicConfig{Name: name, ReadQueues: 1, WriteQueues: 1, Perm: 6}
		change(&config)
		require.NoError(d, d.client.CreateTopic(d.Context(), b.Addr, config))
	}
	put(d.b, func(c *rocketmq.TopicConfig) { c.FilterType = "MULTI_TAG" }, "unlike")
	d.send("fat", "x", "long", strings.Repeat("x", 17_000))
	d.send("long", strings.Repeat("x", 5<<20))
	d.send("later", strings.Repeat("x", 70_000), "DELAY", "3")
	// A queue that is shrunk away, with a message.
	put(d.at, func(c *rocketmq.TopicConfig) { c.ReadQueues, c.WriteQueues = 4, 4 }, "left")
	d.sendTo(d.at, "left", 3, "x")
	d.position(d.at, "left-readers", "left", 3, 0)
	put(d.at, func(*rocketmq.TopicConfig) {}, "left")
	// Messages of which the first are deleted, as their files are full and old.
	put(d.old, func(*rocketmq.TopicConfig) {}, "cut")
	for range 30 {
		d.sendTo(d.old, "cut", 0, strings.Repeat("x", 100_000))
	}
	d.position(d.old, "abandoned", "cut", 0, 0)
	for group, at := range map[string][]rocketmq.Broker{
		"unused": {d.at}, "left-readers": {d.at}, "abandoned": {d.old}, "unlike-readers": {d.at, d.b},
	} {
		for i, b := range at {
			g := rocketmq.Group{
				Name:          group,
				ConsumeEnable: true,
				FromMinEnable: true,
				RetryQueues:   1,
				RetryMaxTimes: 16 - i,
			}
			require.NoError(d, d.client.PutGroup(d.Context(), b.Addr, g))
		}
	}
	target := d.target.Brokers[0].Addr
	require.NoError(d, d.client.CreateTopic(d.Context(), target, rocketmq.TopicConfig{
		Name: "lite", ReadQueues: 1, WriteQueues: 1, Perm: 6, Attributes: map[string]string{"message.type": "LITE"},
	}))
}

func (d dirty) sendTo(b rocketmq.Broker, topic string, queue int, body string) {
	d.Helper()
	_, err := d.client.SendMessage(d.Context(), b.Addr, rocketmq.SendRequest{
		Group: "makers", Topic: topic, Queue: queue, BornTimestamp: time.Now().UnixMilli(), Body: []byte(body),
	})
	require.NoError(d, err)
}

func (d dirty) position(b rocketmq.Broker, group, topic string, queue int, offset int64) {
	d.Helper()
	require.NoError(d, d.client.UpdateOffset(d.Context(), b.Addr, group, topic, queue, offset))
}

// clients are stock ones that ask, answer, trace, and deal queues by machine rooms.
func (d dirty) clients() {
	d.Helper()
	at := d.names[0]
	javaclient.Responder{
		Version: "4.9.7", NameServer: at, Topic: "asks", Group: "answerers", Instance: "answers", Said: func(string) {},
	}.Start(d)
	asker := javaclient.Requester{
		Version: "4.9.7", NameServer: at, Topic: "asks", Group: "askers", Instance: "asks", Wait: 3000,
		Answered: func(string, string, string) {}, Failed: func(string, string) {},
	}.Start(d)
	require.NoError(d, asker.Request("question"))
	javaclient.Consumer{
		Version: "4.9.7", NameServer: at, Topic: "rooms", Group: "roommates", Instance: "rooms", Mode: javaclient.Concurrent,
		Strategy: "AllocateMessageQueueByMachineRoom", Got: func(javaclient.Delivery) {},
	}.Start(d)
	for _, topic := range []string{"", "own-traces"} {
		resolver := primitive.NewPassthroughResolver(slices.Clone(d.names)) // which it changes
		p, err := rmq.NewProducer(
			producer.WithGroupName("tracers"+topic),
			producer.WithInstanceName("tracer"+topic),
			producer.WithNsResolver(resolver),
			producer.WithTrace(
				&primitive.TraceConfig{GroupName: "traces" + topic, TraceTopic: topic, Resolver: resolver},
			),
		)
		require.NoError(d, err)
		require.NoError(d, p.Start())
		d.Cleanup(func() { _ = p.Shutdown() })
		_, err = p.SendSync(context.Background(), primitive.NewMessage("traced", []byte("x")))
		require.NoError(d, err)
	}
	d.member("trace-readers", "reads", "traced", "*")
}

// told are the findings of an id, each as object, cause and evidence in one line.
func told(r Report, id string) (lines []string) {
	for _, f := range r.Findings {
		if f.ID == id {
			line := string(f.Level()) + " " + f.Object + ": " + f.Cause
			for _, e := range f.Evidence {
				line += "; " + e.Fact
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// ofServers are what each finding of the dirty source says, among others, in object, cause and
// evidence.
var ofServers = map[string]string{
	"name-servers-disagree": "doesn't know topics that brokers have: known-once",
	"versions-mixed":        "broker broker-old 4.7.1, name server",
	"target-feature-off":    "broker-target: has timers switched off (timerWheelEnable=false), and topics later hold",
	"acl-white-list": "source broker broker-b: lets 1 users do everything from their addresses, without a check of " +
		"their signature (whiteRemoteAddress); shop-application (10.1.0.7)",
	"target-open":    "while the source does (broker broker-a, broker-b)",
	"instance-names": "MQ_INST_1234_abcd%orders",
	"allocation": "group roommates: has members that deal queues among themselves by " +
		"AllocateMessageQueueByMachineRoom",
	"request-reply": "topic asks: holds requests whose senders wait for replies (1 of 1 sampled messages); " +
		"read by answerers",
	"message-too-long":      "topic long: holds messages longer than the target takes (maxMessageSize 4,194,304 bytes)",
	"properties-over-proxy": "topic fat: has messages with more properties",
	"trace-topic":           "topic own-traces: is a trace topic of applications",
	"light-queues":          "source broker broker-a, broker-b",
	"target-lite":           "topic lite: is of type LITE on the target",
	"disk-full":             "source broker broker-old: its disk is nearly full",
	"lag-at-risk": "group abandoned: is so far behind on topic cut that messages are deleted " +
		"before it reads them",
	"queues-left": "topic left: holds messages in 1 queues that it doesn't have any more; " +
		"queue broker-a/3 holds 1 messages",
	"group-unused":    "unused",
	"group-abandoned": "groups abandoned: 1 groups have no members",
	"topic-unused":    "idle",
	"settings-differ-between-brokers": "group unlike-readers: has settings that differ between brokers of the source: " +
		"the target gets those of broker broker-a; retryMaxTimes is 16 on broker-a and 15 on broker-b",
}

// TestLongConditionsOfServersAndStoresAreFoundAndNoneOnACleanCluster goes through what only real
// servers show: what they tell of themselves, what they keep, and what clients leave on them.
func TestLongConditionsOfServersAndStoresAreFoundAndNoneOnACleanCluster(t *testing.T) {
	d := dirtyServers(t)
	d.fill()
	d.clients()
	var report Report
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		d.forget(d.names[1], "known-once") // it is back as soon as any topic changes
		_, report = d.assessed(func(p *plan.Plan) {
			p.Target = plan.Target{Provider: plan.ProviderExisting, NameServers: d.target.NameServers}
		})
		for id, says := range ofServers {
			assert.Contains(c, strings.Join(told(report, id), "\n"), says, id)
		}
	}, time.Minute, time.Second, "brokers delete old files each 10 s, and traces are sent after a while")
	assert.Contains(t, told(report, "versions-mixed")[0], "run different versions: 4.7.1, 4.9.7;")
	assert.Contains(t, told(report, "versions-mixed")[0], "name server "+d.names[1]+" 4.7.1")
	assert.Contains(
		t,
		strings.Join(told(report, "trace-topic"), "\n"),
		"topic RMQ_SYS_TRACE_TOPIC: holds message traces",
	)
	assert.Contains(t, strings.Join(told(report, "request-reply"), "\n"),
		"topic DefaultCluster_REPLY_TOPIC: holds replies")
	assert.Contains(t, strings.Join(told(report, "message-too-long"), "\n"),
		"topic later: holds messages of more than 64 KB")
	assert.Contains(t, strings.Join(told(report, "settings-differ-between-brokers"), "\n"),
		"topicFilterType is SINGLE_TAG on broker-a and MULTI_TAG on broker-b")
	assert.NotContains(t, told(report, "group-unused")[0], "left-readers", "it has a position on a queue of before")
	for _, id := range []string{"clock-skew", "target-disk-small", "source-too-old", "acl-untold", "self-replication"} {
		assert.Empty(t, told(report, id))
	}

	clean := sourceOn(t, labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7"}))
	clean.topic("orders")
	clean.send("orders", "x", "UNIQ_KEY", "m1")
	clean.member("billing", "one", "orders", "*")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, report = clean.assessed(func(*plan.Plan) {})
		assert.Equal(c, 1, report.Groups)
		assert.Empty(c, told(report, "group-unused"))
	}, time.Minute, time.Second, "the member connects, and makes its group")
	for id := range ofServers {
		assert.Empty(t, told(report, id))
	}
	for _, id := range []string{"clock-skew", "target-disk-small", "broker-address", "self-replication", "acl-untold"} {
		assert.Empty(t, told(report, id))
	}
}
