package rocketmq

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// A broker of 4.9.7 that has just been started answers the question for its version with an
// exception.
func TestABrokerThatDoesNotSayItsVersionIsListedAllTheSame(t *testing.T) {
	young := true
	broker := serve(t, func(conn net.Conn, c *remoting.Command) {
		if young {
			reply(conn, c, remoting.SystemError, map[string]string{}, "")
			return
		}
		reply(conn, c, remoting.Success, nil, `{"table":{"brokerVersionDesc":"V4_9_7"}}`)
	})
	names := serve(t, func(conn net.Conn, c *remoting.Command) {
		reply(
			conn,
			c,
			remoting.Success,
			nil,
			fmt.Sprintf(
				`{"brokerAddrTable":{"gone":{"brokerAddrs":{0:"127.0.0.1:1"},"brokerName":"gone","cluster":"C"},`+
					`"young":{"brokerAddrs":{0:%q},"brokerName":"young","cluster":"C"}}}`,
				broker.Addr().String(),
			),
		)
	})
	c := NewCluster(testClient(t), []string{names.Addr().String()})
	all, err := c.Brokers(context.Background())
	require.NoError(t, err, "one broker's passing error hides no other one")
	require.Len(t, all, 2)
	assert.Equal(t, []string{"gone", "", "young", ""},
		[]string{all[0].Name, all[0].Version, all[1].Name, all[1].Version})

	young = false
	c.Forget()
	all, err = c.Brokers(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "4.9.7", all[1].Version, "it is asked again")
}

// A broker of 5.3.3 takes 50 ms of a processor to say how it is, and all lanes want to know.
func TestBrokersSayHowTheyAreOnceForAll(t *testing.T) {
	var asked, failing atomic.Int32
	failing.Store(1)
	broker := serve(t, func(conn net.Conn, c *remoting.Command) {
		asked.Add(1)
		if failing.Add(-1) >= 0 {
			reply(conn, c, remoting.SystemError, map[string]string{}, "")
			return
		}
		reply(conn, c, remoting.Success, nil, `{"table":{"bootTimestamp":"17"}}`)
	})
	c := NewCluster(testClient(t), nil)
	_, err := c.RuntimeAt(t.Context(), broker.Addr().String())
	require.Error(t, err)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			table, err := c.RuntimeAt(t.Context(), broker.Addr().String())
			assert.NoError(t, err)
			assert.Equal(t, "17", table["bootTimestamp"])
			table["bootTimestamp"] = "18" // its own copy
		})
	}
	all.Wait()
	assert.Equal(t, int32(2), asked.Load(), "an error is asked again, an answer serves all")
}

// What was known before a restart stands until name servers answer.
func TestAssumedBrokersStandUntilNameServersAnswer(t *testing.T) {
	ctx := context.Background()
	away := NewCluster(testClient(t), []string{"127.0.0.1:1"})
	_, err := away.Broker(ctx, "broker-a")
	require.Error(t, err)
	away.Assume(map[string]string{"broker-b": "10.0.0.2:10911", "broker-a": "10.0.0.1:10911"})
	for range 2 {
		is, err := away.Broker(ctx, "broker-a")
		require.NoError(t, err)
		assert.Equal(t, "10.0.0.1:10911", is.Addr)
	}
	all, err := away.Brokers(ctx)
	require.NoError(t, err)
	require.Len(t, all, 2)

	names := serve(t, func(conn net.Conn, c *remoting.Command) {
		reply(conn, c, remoting.Success, nil,
			`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:1"},"brokerName":"broker-a","cluster":"C"}}}`)
	})
	here := NewCluster(testClient(t), []string{names.Addr().String()})
	here.Assume(map[string]string{"broker-a": "10.0.0.1:10911", "broker-b": "10.0.0.2:10911"})
	all, err = here.Brokers(ctx)
	require.NoError(t, err)
	assert.Equal(t, []Broker{{Cluster: "C", Name: "broker-a", Addr: "127.0.0.1:1"}}, all, "name servers count more")
	here.Assume(map[string]string{"broker-b": "10.0.0.2:10911"})
	all, err = here.Brokers(ctx)
	require.NoError(t, err)
	assert.Len(t, all, 1)

	proxied := NewClusterBehind(testClient(t), "127.0.0.1:1")
	proxied.Assume(map[string]string{"broker-a": "127.0.0.1:1"})
	is, err := proxied.Broker(ctx, "broker-a")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:1/broker-a", is.Addr)
}
