package rocketmq_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// application is a heartbeat of a program that reads the test's topic as a member of its group, and
// writes as producer.
func (l *live) application(clientID, producer string) *remoting.Command {
	l.Helper()
	body, err := json.Marshal(map[string]any{
		"clientID": clientID,
		"consumerDataSet": []map[string]any{{
			"groupName": l.group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING", "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
			"subscriptionDataSet": []map[string]any{
				{"topic": l.topic, "subString": "*", "expressionType": "TAG", "subVersion": 1},
			},
		}},
		"producerDataSet": []map[string]any{{"groupName": producer}},
	})
	require.NoError(l, err)
	return &remoting.Command{Code: heartbeat, Body: body}
}

func TestLiveConnectedApplicationsAreListedUntilTheyLeave(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.makeGroup()
		l.topicsCreated = append(l.topicsCreated, rocketmq.RetryTopic(l.group)) // made by the heartbeat
		nobody, err := l.client.ConsumerConnectionsOf(l.ctx, l.addr, l.group)
		require.NoError(l, err)
		require.Equal(l, rocketmq.ConsumerConnections{}, nobody)

		writers := "P-" + l.topic
		application := rocketmq.NewClient(rocketmq.Options{})
		l.Cleanup(application.Close)
		got, err := application.Call(l.ctx, l.addr, l.application("member@1", writers))
		require.NoError(l, err)
		require.Equal(l, remoting.Success, got.Code, got.Remark)

		members, err := l.client.ConsumerConnectionsOf(l.ctx, l.addr, l.group)
		require.NoError(l, err)
		require.Len(l, members.Connections, 1)
		member := members.Connections[0]
		assert.Regexp(l, `^127\.0\.0\.1:\d+$`, member.Addr)
		assert.Equal(l,
			rocketmq.Connection{ClientID: "member@1", Addr: member.Addr, Language: "GO", Version: 409}, member)
		assert.Equal(l, "4.9.8", rocketmq.VersionName(member.Version))
		members.Connections = nil
		assert.Equal(l, rocketmq.ConsumerConnections{
			MessageModel: "CLUSTERING", ConsumeType: "CONSUME_PASSIVELY",
			ConsumeFromWhere: "CONSUME_FROM_FIRST_OFFSET", Topics: members.Topics,
			Subscriptions: members.Subscriptions,
		}, members)
		assert.Contains(l, members.Subscriptions, rocketmq.Subscription{
			Topic: l.topic, Filter: rocketmq.Filter{Kind: "TAG", Expression: "*"},
		})
		assert.Contains(l, members.Topics, l.topic)
		producers, err := l.client.Producers(l.ctx, l.addr)
		require.NoError(l, err)
		assert.Equal(l, []rocketmq.Connection{member}, producers[writers], "the same connection")

		application.Close()
		l.until("nobody is connected", func() (any, bool) {
			members, err := l.client.ConsumerConnectionsOf(l.ctx, l.addr, l.group)
			require.NoError(l, err)
			producers, err := l.client.Producers(l.ctx, l.addr)
			require.NoError(l, err)
			return members, len(members.Connections)+len(producers[writers]) == 0
		})
	})
}

func TestLiveMemberAccountsForItsQueues(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		l.makeGroup()
		l.topicsCreated = append(l.topicsCreated, rocketmq.RetryTopic(l.group))
		queue := func(id int, rest string) string {
			return fmt.Sprintf(`{"brokerName":%q,"queueId":%d,"topic":%q}:{%s}`, l.broker, id, l.topic, rest)
		}
		// As Java's members write it: objects as keys.
		account := `{"mqTable":{` +
			queue(
				0,
				`"cachedMsgCount":3,"cachedMsgMaxOffset":9,"cachedMsgMinOffset":7,"commitOffset":7,"droped":false,"locked":true,"transactionMsgCount":2`,
			) + `,` +
			queue(1, `"commitOffset":0,"droped":true,"locked":false`) +
			`},"properties":{"PROP_CLIENT_VERSION":"V4_9_7","PROP_CONSUMEORDERLY":"true"},"statusTable":{},"subscriptionSet":[]}`
		l.join("member@1", account)
		got, err := l.client.ConsumerRunningInfo(l.ctx, l.addr, l.group, "member@1")
		require.NoError(l, err)
		assert.Equal(l, map[string]string{"PROP_CLIENT_VERSION": "V4_9_7", "PROP_CONSUMEORDERLY": "true"},
			got.Properties)
		assert.ElementsMatch(l, []rocketmq.ProcessQueueInfo{
			{
				Topic:        l.topic,
				Broker:       l.broker,
				CommitOffset: 7,
				CachedMin:    7,
				CachedMax:    9,
				CachedCount:  3,
				InWork:       2,
				Locked:       true,
			},
			{Topic: l.topic, Broker: l.broker, Queue: 1, Dropped: true},
		}, got.Queues)

		_, err = l.client.ConsumerRunningInfo(l.ctx, l.addr, l.group, "member@2")
		l.wantCode("a member that isn't there", remoting.SystemError, err)
		assert.ErrorContains(l, err, "member@2")
	})
}

func TestLiveMemberThatDeclinesOrSaysNothingIsAnError(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		l.makeGroup()
		l.topicsCreated = append(l.topicsCreated, rocketmq.RetryTopic(l.group))
		_, err := l.client.Call(l.ctx, l.addr,
			l.application("declines", "P-"+l.topic)) // our own client declines what brokers ask
		require.NoError(l, err)
		l.join("empty", "")
		_, err = l.client.ConsumerRunningInfo(l.ctx, l.addr, l.group, "declines")
		l.wantCode("a member that declines", remoting.NotSupported, err)
		assert.ErrorContains(l, err, "not a client application")
		_, err = l.client.ConsumerRunningInfo(l.ctx, l.addr, l.group, "empty")
		assert.ErrorContains(l, err, "the member's answer is empty")
		assert.ErrorContains(l, err, l.group)
	})
}

// join connects a member that answers whatever the broker asks with this account, until the test
// ends.
func (l *live) join(clientID, account string) {
	l.Helper()
	conn, err := net.Dial("tcp", l.addr)
	require.NoError(l, err)
	joined, ended := make(chan error, 1), make(chan struct{})
	l.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	beat := l.application(clientID, "P-"+l.topic)
	beat.Language, beat.Version = "JAVA", 407
	frame, err := rocketmq.AppendFrame(nil, beat)
	require.NoError(l, err)
	_, err = conn.Write(frame)
	require.NoError(l, err)
	go func() {
		defer close(ended)
		err := answerAll(conn, joined, account)
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
			l.Errorf("member %s: %v", clientID, err)
		}
	}()
	select {
	case err := <-joined:
		require.NoError(l, err)
	case <-l.ctx.Done():
		l.Fatalf("member %s: no answer to its heartbeat", clientID)
	}
}

// answerAll serves a member's connection until it ends. The first answer is that to the heartbeat.
func answerAll(conn net.Conn, joined chan<- error, account string) error {
	for {
		c, err := rocketmq.ReadFrame(conn)
		if err != nil {
			return err
		}
		if c.Response() {
			if c.Code != remoting.Success {
				joined <- fmt.Errorf("heartbeat: code %d: %s", c.Code, c.Remark)
			}
			close(joined)
			continue
		}
		answer := &remoting.Command{
			Opaque:   c.Opaque,
			Flag:     rocketmq.FlagResponse,
			Language: "JAVA",
			Version:  407,
			Body:     []byte(account),
		}
		frame, err := rocketmq.AppendFrame(nil, answer)
		if err != nil {
			return err
		}
		if _, err := conn.Write(frame); err != nil {
			return err
		}
	}
}
