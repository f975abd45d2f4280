package rocketmq

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// proxyOf plays a proxy that has a topic on two brokers.
func proxyOf(t *testing.T, answer func(conn net.Conn, c *remoting.Command)) (*Cluster, *fakeServer) {
	t.Helper()
	s := serve(t, func(conn net.Conn, c *remoting.Command) {
		switch {
		case c.Code != remoting.CodeRoute:
			answer(conn, c)
		case c.Fields["topic"] != "orders":
			reply(conn, c, remoting.TopicNotExist, nil, "")
		default:
			reply(
				conn,
				c,
				remoting.Success,
				nil,
				`{"brokerDatas":[{"brokerAddrs":{0:"10.9.9.9:8080"},"brokerName":"broker-b","cluster":"C"},{"brokerAddrs":{0:"10.9.9.9:8080"},"brokerName":"broker-a","cluster":"C"}],
				"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":2,"writeQueueNums":2},{"brokerName":"broker-b","perm":6,"readQueueNums":3,"writeQueueNums":3}]}`,
			)
		}
	})
	return NewClusterBehind(testClient(t), s.Addr().String()), s
}

func TestBrokersBehindAProxyAreThoseOfRoutesAndAreDialledAtTheProxy(t *testing.T) {
	c, s := proxyOf(t, func(conn net.Conn, c *remoting.Command) {
		reply(conn, c, remoting.Success,
			map[string]string{"offset": map[string]string{"broker-a": "5", "broker-b": "7"}[c.Fields["bname"]]},
			"")
	})
	_, err := c.Brokers(context.Background())
	require.Error(t, err, "none was named yet")
	configs, err := c.TopicConfigs(context.Background(), []string{"orders", "missing"})
	require.NoError(t, err)
	assert.Equal(t, map[string]map[string]TopicConfig{
		"broker-a": {"orders": {Name: "orders", ReadQueues: 2, WriteQueues: 2, Perm: 6}},
		"broker-b": {"orders": {Name: "orders", ReadQueues: 3, WriteQueues: 3, Perm: 6}},
	}, configs)
	brokers, err := c.Brokers(context.Background())
	require.NoError(t, err)
	require.Len(t, brokers, 2)
	assert.Equal(t, Broker{Cluster: "C", Name: "broker-a", Addr: s.Addr().String() + "/broker-a"}, brokers[0])
	assert.Equal(t, s.Addr().String(), ServerOf(brokers[0].Addr))
	for i, want := range []int64{5, 7} {
		end, err := c.Client().MaxOffset(context.Background(), brokers[i].Addr, "orders", 0)
		require.NoError(t, err)
		assert.Equal(t, want, end)
	}
}

func TestASendThatAProxyRefusesForItsTypeIsSentAgainWithTheFlag(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	c, _ := proxyOf(t, func(conn net.Conn, c *remoting.Command) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c.Fields["n"]+" "+c.Fields["i"])
		if c.Fields["i"] == "" {
			frame, _ := remoting.AppendFrame(
				nil,
				&remoting.Command{
					Code:   remoting.MessageIllegal,
					Opaque: c.Opaque,
					Flag:   remoting.FlagResponse,
					Remark: "TopicMessageType validate failed, topicMessageType is FIFO",
				},
			)
			_, _ = conn.Write(frame)
			return
		}
		reply(conn, c, remoting.Success, map[string]string{"queueOffset": "3", "queueId": "0"}, "")
	})
	_, err := c.Route(context.Background(), "orders")
	require.NoError(t, err)
	b, err := c.Broker(context.Background(), "broker-b")
	require.NoError(t, err)
	for range 2 {
		sent, err := c.Client().
			SendBatch(context.Background(), b.Addr, BatchRequest{Topic: "orders", Messages: []BatchMessage{{Body: []byte("m")}}})
		require.NoError(t, err)
		assert.EqualValues(t, 3, sent.Offset)
	}
	const flagged = "broker-b TRANSFER_FLAG\x01true\x02"
	assert.Equal(t, []string{"broker-b ", flagged, flagged}, seen, "it is refused once")
}

func TestSendsThatAreRefusedTogetherAreAllSentAgain(t *testing.T) {
	c := testClient(t)
	refused := &remoting.Command{Code: remoting.MessageIllegal, Remark: "TopicMessageType validate failed"}
	send := func() *remoting.Command {
		return &remoting.Command{Code: remoting.CodeSendBatch, Fields: map[string]string{"b": "orders"}}
	}
	one, other := send(), send() // both are under way when the first refusal comes
	assert.True(t, c.refusedForType("broker-a", one, refused))
	assert.True(t, c.refusedForType("broker-a", other, refused))
	c.nameBroker(one, "broker-a")
	assert.False(t, c.refusedForType("broker-a", one, refused), "the flag didn't help")
}

func TestWhatAProxySaysOfABrokerItLostIsNoRefusal(t *testing.T) {
	cmd := &remoting.Command{Code: remoting.CodeSendBatch}
	for remark, wants := range map[string][2]bool{ // ambiguous, retryable
		"org.apache.rocketmq.remoting.exception.RemotingTimeoutException: wait response on the channel <10.0.0.1:10911> timeout, 3000(ms)": {true, false},
		"send request to <10.0.0.1:10911> failed":                   {true, false},
		"connect to <10.0.0.1:10911> failed":                        {false, true},
		"message body size exceeded, the max size is 4194304 bytes": {false, false},
	} {
		err := lostBehind("proxy/broker-a", "broker-a", cmd,
			&remoting.Command{Code: remoting.SystemError, Remark: remark})
		assert.Equal(t, wants, [2]bool{remoting.Ambiguous(err), remoting.Retryable(err)}, remark)
	}
	assert.NoError(
		t,
		lostBehind("broker:10911", "", cmd,
			&remoting.Command{Code: remoting.SystemError, Remark: "wait response on the channel timeout"}),
		"a broker's own answer",
	)
}
