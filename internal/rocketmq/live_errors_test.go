package rocketmq_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestLiveRefusalsNameServerCallObjectCodeAndRemark(t *testing.T) {
	t.Parallel()
	onEach(t, func(l *live) {
		nothing := l.topic + "-nothing"
		rows := []struct {
			server, call string
			code         int
			ask          func() error
		}{
			{l.addr, "GET_TOPIC_STATS_INFO " + nothing, remoting.TopicNotExist, func() error {
				_, err := l.client.TopicStats(l.ctx, l.addr, nothing)
				return err
			}},
			{l.nameServer, "GET_ROUTEINFO_BY_TOPIC " + nothing, remoting.TopicNotExist, func() error {
				_, err := l.cluster.Route(l.ctx, nothing)
				return err
			}},
			{l.addr, "PULL_MESSAGE " + nothing + " queue 3 offset 7", remoting.TopicNotExist, func() error {
				_, err := l.client.Pull(l.ctx, l.addr,
					rocketmq.PullRequest{Group: l.reader, Topic: nothing, Queue: 3, Offset: 7})
				return err
			}},
			{
				l.addr,
				"UPDATE_AND_CREATE_TOPIC TBW102",
				byVersion(l, remoting.SystemError, remoting.InvalidParameter),
				func() error {
					return l.client.CreateTopic(l.ctx, l.addr,
						rocketmq.TopicConfig{Name: "TBW102", ReadQueues: 1, WriteQueues: 1, Perm: 6})
				},
			},
			{
				l.addr,
				"GET_CONSUMER_RUNNING_INFO group " + l.group + " member nobody",
				remoting.SystemError,
				func() error {
					_, err := l.client.ConsumerRunningInfo(l.ctx, l.addr, l.group, "nobody")
					return err
				},
			},
		}
		for _, row := range rows {
			err := row.ask()
			var refusal *remoting.Error
			require.ErrorAs(l, err, &refusal, row.call)
			assert.NotEmpty(l, refusal.Remark, row.call)
			want := remoting.Error{Server: row.server, Call: row.call, Code: row.code, Remark: refusal.Remark}
			assert.Equal(l, want, *refusal)
			assert.True(l, strings.HasPrefix(err.Error(), row.server+": "+row.call+": code "),
				"%q should begin with server and call", err)
			assert.NotContains(l, err.Error(), "\n", "an error is one line")
			assert.False(l, remoting.Retryable(err) || remoting.Ambiguous(err) || remoting.Unreachable(err),
				"%v: a refusal is an answer", err)
		}
	})
}

func TestLongUntypedCallReturnsTheCodeAsItIs(t *testing.T) {
	onEach(t, func(l *live) {
		got, err := l.client.Call(l.ctx, l.addr, &remoting.Command{Code: unknownCode})
		require.NoError(l, err)
		assert.Equal(l, remoting.NotSupported, got.Code)
	})
}

func TestLiveServerThatIsGoneIsRetryableAndTheNextNameServerAnswers(t *testing.T) {
	onEach(t, func(l *live) {
		gone := closedAddress(l.T)
		_, err := l.client.MaxOffset(l.ctx, gone, l.topic, 0)
		require.ErrorContains(l, err, gone)
		assert.True(l, remoting.Retryable(err) && remoting.Unreachable(err) && !remoting.Ambiguous(err),
			"it was certainly not executed: %v", err)

		behind := rocketmq.NewCluster(l.client, []string{gone, l.nameServer})
		brokers, err := behind.Brokers(l.ctx)
		require.NoError(l, err)
		assert.Equal(l, l.broker, brokers[0].Name)
		none := rocketmq.NewCluster(l.client, []string{gone})
		_, err = none.Route(l.ctx, l.topic)
		assert.ErrorContains(l, err, "name server "+gone)
	})
}

// closedAddress is one where nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

var admin = lab.Account{AccessKey: "live-admin", SecretKey: "live-admin-secret"}

func TestLongSignedCallsAreServedAndAllOthersRefusedAlsoOverTLS(t *testing.T) {
	t.Parallel()
	onOwn(t, lab.ClusterSpec{Admin: &admin, TLS: true}, func(l *live, c *lab.Cluster) {
		for name, credentials := range map[string]*remoting.Credentials{
			"not signed":   nil,
			"wrong secret": {AccessKey: admin.AccessKey, SecretKey: "live-wrong-secret"},
			"unknown user": {AccessKey: "live-nobody", SecretKey: admin.SecretKey},
		} {
			stranger := rocketmq.NewClient(rocketmq.Options{Credentials: credentials})
			l.Cleanup(stranger.Close)
			err := stranger.CreateTopic(l.ctx, l.addr,
				rocketmq.TopicConfig{Name: l.topic, ReadQueues: 1, WriteQueues: 1, Perm: 6})
			l.wantCode(name, byVersion(l, remoting.SystemError, remoting.NoPermission), err)
			assert.NotContains(l, err.Error(), admin.SecretKey, name)
			assert.NotContains(l, err.Error(), "live-wrong-secret", name)
		}
		topics, err := l.client.TopicConfigs(l.ctx, l.addr)
		require.NoError(l, err)
		require.NotContains(l, topics, l.topic, "a refused call was executed")
		l.useEverything(l.client)

		withToken := rocketmq.NewClient(rocketmq.Options{Credentials: &remoting.Credentials{
			AccessKey: admin.AccessKey, SecretKey: admin.SecretKey, SecurityToken: "token",
		}})
		l.Cleanup(withToken.Close)
		l.useEverything(withToken)

		overTLS := rocketmq.NewClient(rocketmq.Options{
			Credentials: &remoting.Credentials{
				AccessKey: admin.AccessKey,
				SecretKey: admin.SecretKey,
			}, TLS: &tls.Config{InsecureSkipVerify: true},
		})
		l.Cleanup(overTLS.Close)
		l.useEverything(overTLS)
		_, err = rocketmq.NewCluster(overTLS, c.NameServers).Brokers(l.ctx)
		require.NoError(l, err)
	})
}

// useEverything makes calls whose signatures cover different things: fields only, a body, unicode,
// both, and nothing.
func (l *live) useEverything(c *rocketmq.Client) {
	l.Helper()
	l.client = c
	l.makeTopic(1)
	l.makeGroup()
	sent := l.batch(0, rocketmq.BatchMessage{Body: []byte("signed 漢字"), Properties: []byte("größe\x01ключ\x02")})
	single, err := l.sendMessage(l.addr, rocketmq.SendRequest{
		Group:      "writer",
		Topic:      l.topic,
		Body:       []byte("signed"),
		Properties: []byte("größe\x01\u2028<&>😀\x02"),
	})
	require.NoError(l, err)
	require.Equal(l, sent.Offset+1, single.Offset)
	got := l.read(l.topic, 0, sent.Offset, 2)
	assert.Equal(l, "signed 漢字", string(got[0].Body))
	assert.Equal(l, "\u2028<&>😀", remoting.PropertyMap(got[1].Properties)["größe"])
	require.NoError(l, c.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 1))
	l.wantOffset(0, 1)
	queue := []rocketmq.MessageQueue{{Topic: l.topic, Broker: l.broker}}
	held, err := c.LockQueues(l.ctx, l.addr, l.group, "holder", queue)
	require.NoError(l, err)
	assert.Equal(l, queue, held)
	_, err = c.Runtime(l.ctx, l.addr)
	require.NoError(l, err)
	_, err = c.Nodes(l.ctx, l.nameServer)
	require.NoError(l, err)
}
