package rocketmq_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestLiveNameServersListTheMastersWithTheirVersions(t *testing.T) {
	onEach(t, func(l *live) {
		c := labtest.Cluster(l.T, l.version)
		var want []rocketmq.Broker
		for _, b := range c.Brokers {
			want = append(want, rocketmq.Broker{Cluster: c.Spec().Name, Name: b.Name, Addr: b.Addr, Version: l.version})
		}
		got, err := l.cluster.Brokers(l.ctx)
		require.NoError(l, err)
		require.Equal(l, want, got)

		one, err := l.cluster.Broker(l.ctx, l.broker)
		require.NoError(l, err)
		assert.Equal(l, want[0], one)
		_, err = l.cluster.Broker(l.ctx, "nobody")
		assert.ErrorContains(l, err, "nobody")
		assert.ErrorContains(l, err, l.nameServer)
		assert.True(l, remoting.Retryable(err), "a broker that isn't registered may come back: %v", err)

		nodes, err := l.client.Nodes(l.ctx, l.nameServer)
		require.NoError(l, err)
		for _, n := range nodes {
			assert.Contains(l, want,
				rocketmq.Broker{Cluster: n.Cluster, Name: n.Name, Addr: n.Addr, Version: want[0].Version})
		}
		assert.Len(l, nodes, len(want))
	})
}

func TestLiveTopicIsRoutedFromItsCreationToItsDeletion(t *testing.T) {
	onEach(t, func(l *live) {
		_, err := l.cluster.Route(l.ctx, l.topic)
		l.wantCode("route before the creation", remoting.TopicNotExist, err)
		l.topicsCreated = append(l.topicsCreated, l.topic)
		require.NoError(
			l,
			l.client.CreateTopic(l.ctx, l.addr,
				rocketmq.TopicConfig{Name: l.topic, ReadQueues: 5, WriteQueues: 3, Perm: 6}),
		)
		cluster := labtest.Cluster(l.T, l.version).Spec().Name
		want := rocketmq.Route{
			Queues:  []rocketmq.RouteQueue{{BrokerName: l.broker, Read: 5, Write: 3, Perm: 6}},
			Brokers: []rocketmq.RouteBroker{{Name: l.broker, Cluster: cluster, Addrs: map[int64]string{0: l.addr}}},
		}
		l.until("the route shows the new topic", func() (any, bool) {
			got, err := l.cluster.Route(l.ctx, l.topic)
			return got, err == nil && assert.ObjectsAreEqual(want, got)
		})

		require.NoError(l, l.client.DeleteTopic(l.ctx, l.addr, l.topic))
		require.NoError(l, l.client.DeleteTopicInNameServer(l.ctx, l.nameServer, l.topic))
		_, err = l.cluster.Route(l.ctx, l.topic)
		l.wantCode("route after the deletion", remoting.TopicNotExist, err)
		all, err := l.client.TopicConfigs(l.ctx, l.addr)
		require.NoError(l, err)
		assert.NotContains(l, all, l.topic)
	})
}

func TestLiveTopicSettingsAreReadAsTheyWereWritten(t *testing.T) {
	onEach(t, func(l *live) {
		rows := []struct {
			name   string
			config rocketmq.TopicConfig
		}{
			{"plain", rocketmq.TopicConfig{ReadQueues: 4, WriteQueues: 4, Perm: 6, FilterType: "SINGLE_TAG"}},
			{
				"more to read than to write",
				rocketmq.TopicConfig{ReadQueues: 8, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG"},
			},
			{
				"read only",
				rocketmq.TopicConfig{ReadQueues: 2, WriteQueues: 2, Perm: rocketmq.PermRead, FilterType: "SINGLE_TAG"},
			},
			{
				"write only",
				rocketmq.TopicConfig{ReadQueues: 2, WriteQueues: 2, Perm: rocketmq.PermWrite, FilterType: "SINGLE_TAG"},
			},
			{"closed, several tags", rocketmq.TopicConfig{ReadQueues: 1, WriteQueues: 1, FilterType: "MULTI_TAG"}},
			{
				"system flag",
				rocketmq.TopicConfig{ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG", SysFlag: 1},
			},
			{
				"ordered",
				rocketmq.TopicConfig{ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG", Order: true},
			},
		}
		l.topicsCreated = append(l.topicsCreated, l.topic)
		for _, row := range rows { // each replaces the one before
			row.config.Name = l.topic
			require.NoError(l, l.client.CreateTopic(l.ctx, l.addr, row.config), row.name)
			all, err := l.client.TopicConfigs(l.ctx, l.addr)
			require.NoError(l, err, row.name)
			want := row.config
			want.Order = want.Order && l.is5() // 4.x takes the field and ignores it
			want.Attributes = map[string]string{}
			assert.Equal(l, want, all[l.topic], row.name)
		}
	})
}

func TestLiveTopicAttributesAreKeptUntilTheyAreChanged(t *testing.T) {
	l := newLive(t, labtest.Cluster(t, v5), rocketmq.Options{})
	config := rocketmq.TopicConfig{Name: l.topic, ReadQueues: 1, WriteQueues: 1, Perm: 6}
	l.topicsCreated = append(l.topicsCreated, l.topic)
	steps := []struct {
		name      string
		set, want map[string]string
	}{
		{
			"two at once",
			map[string]string{"message.type": "FIFO", "cleanup.policy": "DELETE"},
			map[string]string{"message.type": "FIFO", "cleanup.policy": "DELETE"},
		},
		{
			"one changed",
			map[string]string{"message.type": "DELAY"},
			map[string]string{"message.type": "DELAY", "cleanup.policy": "DELETE"},
		},
		{"none given", nil, map[string]string{"message.type": "DELAY", "cleanup.policy": "DELETE"}},
	}
	for _, step := range steps {
		config.Attributes = step.set
		require.NoError(l, l.client.CreateTopic(l.ctx, l.addr, config), step.name)
		all, err := l.client.TopicConfigs(l.ctx, l.addr)
		require.NoError(l, err)
		assert.Equal(l, step.want, all[l.topic].Attributes, step.name)
	}
}

func TestLiveTopicStatsShowTheRangeOfEachWriteQueue(t *testing.T) {
	onEach(t, func(l *live) {
		_, err := l.client.TopicStats(l.ctx, l.addr, l.topic)
		l.wantCode("stats of an unknown topic", remoting.TopicNotExist, err)
		l.makeTopic(3)
		l.fill(1, 7)
		got, err := l.client.TopicStats(l.ctx, l.addr, l.topic)
		require.NoError(l, err)
		require.Len(l, got, 3)
		assert.Equal(l, rocketmq.QueueRange{}, got[0], "an empty queue")
		assert.Equal(l, rocketmq.QueueRange{}, got[2], "an empty queue")
		assert.EqualValues(l, 0, got[1].Min)
		assert.EqualValues(l, 7, got[1].Max)
		last := l.read(l.topic, 1, 6, 1)[0]
		assert.Equal(l, last.StoreTimestamp, got[1].LastUpdate.UnixMilli(), "the time of the last message")
	})
}

func TestLiveRuntimeAndConfigurationSayWhoTheBrokerIs(t *testing.T) {
	onEach(t, func(l *live) {
		facts, err := l.client.Runtime(l.ctx, l.addr)
		require.NoError(l, err)
		assert.Equal(l, "V"+strings.ReplaceAll(l.version, ".", "_"), facts["brokerVersionDesc"])
		assert.NotEmpty(l, facts["bootTimestamp"])
		config, err := l.client.BrokerConfig(l.ctx, l.addr)
		require.NoError(l, err)
		assert.Equal(l, l.broker, config["brokerName"])
		assert.Equal(l, l.nameServer, config["namesrvAddr"])
		assert.True(l, strings.HasSuffix(l.addr, ":"+config["listenPort"]), "listens on %s, wanted that of %s",
			config["listenPort"], l.addr)
	})
}

func TestLongStatisticsCountWhatWasPutInTheLastMinute(t *testing.T) {
	t.Parallel()
	onEach(t, func(l *live) {
		got, err := l.client.Stats(l.ctx, l.addr, "TOPIC_PUT_NUMS", l.topic)
		require.NoError(l, err)
		require.Equal(l, rocketmq.MinuteStats{}, got, "what was never counted")
		l.makeTopic(1)
		sent := int64(0)
		l.until(
			"messages are counted",
			func() (any, bool) { // brokers sample every 10 s, and count from the second sample on
				l.batch(0, rocketmq.BatchMessage{Body: []byte("counted")})
				sent++
				got, err := l.client.Stats(l.ctx, l.addr, "TOPIC_PUT_NUMS", l.topic)
				require.NoError(l, err)
				return got, got.Sum > 0 && got.TPS > 0
			},
		)
		got, err = l.client.Stats(l.ctx, l.addr, "TOPIC_PUT_NUMS", l.topic)
		require.NoError(l, err)
		assert.LessOrEqual(l, got.Sum, sent)
	})
}
