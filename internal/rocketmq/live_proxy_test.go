package rocketmq_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// behind is a 5.x cluster of which only the proxy is reached; the test's topic is made at the
// broker, as a console would.
func behind(t *testing.T, messageType string) (*live, *rocketmq.Cluster, rocketmq.Broker) {
	t.Helper()
	c := labtest.Cluster(t, v5)
	l := newLive(t, c, rocketmq.Options{})
	config := rocketmq.TopicConfig{
		Name:        l.topic,
		ReadQueues:  2,
		WriteQueues: 2,
		Perm:        6,
		Attributes:  map[string]string{"message.type": messageType},
	}
	require.NoError(t, l.client.CreateTopic(l.ctx, l.addr, config))
	l.topicsCreated = append(l.topicsCreated, l.topic)
	l.makeGroup()
	p := rocketmq.NewClusterBehind(l.client, c.ProxyRemoting)
	l.until("the proxy knows the topic", func() (any, bool) {
		configs, err := p.TopicConfigs(l.ctx, []string{l.topic})
		return err, configs[l.broker][l.topic].WriteQueues == 2
	})
	broker, err := p.Broker(l.ctx, l.broker)
	require.NoError(t, err)
	require.NotEqual(t, l.addr, broker.Addr)
	return l, p, broker
}

func TestLiveABrokerBehindAProxyIsWrittenReadAndCommittedTo(t *testing.T) {
	l, p, broker := behind(t, "NORMAL")
	sent, err := l.sendBatch(broker.Addr, rocketmq.BatchRequest{
		Group: "producers", Topic: l.topic, Queue: 1, BornTimestamp: 5, Messages: []rocketmq.BatchMessage{{Body: []byte("one"), Properties: []byte("A\x01b\x02")}, {Body: []byte("two")}},
	})
	require.NoError(t, err)
	assert.Equal(t, rocketmq.SendResult{Queue: 1}, sent)
	l.until("both messages are shown", func() (any, bool) {
		end, err := l.client.MaxOffset(l.ctx, broker.Addr, l.topic, 1)
		return err, end == 2
	})
	through, err := l.client.Pull(l.ctx, broker.Addr,
		rocketmq.PullRequest{Group: l.reader, Topic: l.topic, Queue: 1, Max: 10})
	require.NoError(t, err)
	straight, err := l.client.Pull(l.ctx, l.addr,
		rocketmq.PullRequest{Group: l.reader, Topic: l.topic, Queue: 1, Max: 10})
	require.NoError(t, err)
	assert.Equal(t, straight.Messages, through.Messages)
	_, flagged := remoting.PropertyValue(through.Messages[0].Properties, remoting.PropTransferFlag)
	assert.False(t, flagged, "the topic's type fits without it")

	require.NoError(t, l.client.UpdateOffset(l.ctx, broker.Addr, l.group, l.topic, 1, 2))
	at, known, err := l.client.QueryOffset(l.ctx, l.addr, l.group, l.topic, 1)
	require.NoError(t, err)
	assert.True(t, known)
	assert.EqualValues(t, 2, at)
	queue := []rocketmq.MessageQueue{{Topic: l.topic, Broker: l.broker, Queue: 1}}
	held, err := l.client.LockQueues(l.ctx, broker.Addr, l.group, "one", queue)
	require.NoError(t, err)
	assert.Equal(t, queue, held)
	held, err = l.client.LockQueues(l.ctx, l.addr, l.group, "two", queue)
	require.NoError(t, err)
	assert.Empty(t, held, "the lock is the broker's")
	lease := []rocketmq.MessageQueue{{Topic: "rocketshift-gateway/a", Broker: l.broker}} // as gateways take theirs
	held, err = l.client.LockQueues(l.ctx, broker.Addr, l.group, "one", lease)
	require.NoError(t, err)
	assert.Equal(t, lease, held, "it needs no topic that exists")
	held, err = l.client.LockQueues(l.ctx, broker.Addr, l.group, "two", lease)
	require.NoError(t, err)
	assert.Empty(t, held)

	topics, err := l.client.TopicConfigs(l.ctx, l.addr)
	require.NoError(t, err)
	require.Contains(t, topics, "DefaultHeartBeatSyncerTopic", "what proxies make")
	assert.True(t, rocketmq.SystemTopic("DefaultHeartBeatSyncerTopic", "", nil))

	_, err = p.Broker(l.ctx, "nobody") // a proxy would never answer
	assert.True(t, remoting.Retryable(err), "%v", err)
	configs, err := p.TopicConfigs(l.ctx, []string{l.topic, l.topic + "-missing"})
	require.NoError(t, err)
	assert.Len(t, configs[l.broker], 1)
	_, err = l.client.TopicStats(l.ctx, broker.Addr, l.topic)
	assert.Equal(t, remoting.NotSupported, remoting.CodeOf(err))
}

func TestLiveTheTypeOfATopicBehindAProxyHindersNoCopy(t *testing.T) {
	for _, messageType := range []string{"FIFO", "DELAY", "TRANSACTION"} {
		t.Run(messageType, func(t *testing.T) {
			l, _, broker := behind(t, messageType)
			for range 2 {
				_, err := l.sendBatch(broker.Addr, rocketmq.BatchRequest{
					Group:    "producers",
					Topic:    l.topic,
					Messages: []rocketmq.BatchMessage{{Body: []byte("plain")}},
				})
				require.NoError(t, err)
			}
			l.until("both messages are there", func() (any, bool) {
				end, err := l.client.MaxOffset(l.ctx, l.addr, l.topic, 0)
				return err, end == 2
			})
		})
	}
}

// The first end of a transaction, which producers send by themselves, is acknowledged by a proxy
// and does nothing: it must never be relied on.
func TestLiveAProxyIgnoresTheFirstEndOfATransaction(t *testing.T) {
	l, _, broker := behind(t, "TRANSACTION")
	half, err := l.sendMessage(broker.Addr, rocketmq.SendRequest{
		Group: l.topic, Topic: l.topic, SysFlag: 4, Body: []byte("half"),
		Properties: []byte("TRAN_MSG\x01true\x02PGROUP\x01" + l.topic + "\x02UNIQ_KEY\x01" + l.topic + "\x02"),
	})
	require.NoError(t, err)
	got, err := l.client.Call(l.ctx, broker.Addr, &remoting.Command{Code: 37, Fields: map[string]string{
		"producerGroup": l.topic, "topic": l.topic, "tranStateTableOffset": "0", "commitLogOffset": "0",
		"commitOrRollback": "8", "fromTransactionCheck": "false", "msgId": l.topic, "transactionId": l.topic,
	}})
	require.NoError(t, err)
	assert.Zero(t, got.Code, "%+v %s", half, got.Remark)
	read, err := l.client.Pull(l.ctx, broker.Addr, rocketmq.PullRequest{Group: l.reader, Topic: l.topic})
	require.NoError(t, err)
	assert.Empty(t, read.Messages)
}
