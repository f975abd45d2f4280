package rocketmq_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// longestPropertiesHarmNobody sends batches up to MaxProperties. Longer ones would be acknowledged,
// and then messages of other topics would be lost: at once, and with the next start.
func longestPropertiesHarmNobody(l *live, c *lab.Cluster) {
	const rounds, others = 20, 50
	other := l.topic + "-other"
	l.makeTopic(1)
	l.makeTopicNamed(other, 1)
	short := rocketmq.BatchMessage{Body: []byte("short"), Properties: []byte("KEYS\x01k\x02")}
	longest := rocketmq.BatchMessage{
		Body: []byte("long"),
		Properties: remoting.AppendProperty(nil, "long",
			strings.Repeat("x", remoting.MaxProperties-len("long\x01\x02"))),
	}
	require.Equal(l, remoting.MaxProperties, longest.PropertiesSize())
	send := func(topic string, messages ...rocketmq.BatchMessage) error {
		_, err := l.sendBatch(l.addr, rocketmq.BatchRequest{
			Group: "writer", Topic: topic, BornTimestamp: time.Now().UnixMilli(), Messages: messages,
		})
		return err
	}
	var neighbours []rocketmq.BatchMessage
	for range others {
		neighbours = append(neighbours, short)
	}
	for range rounds {
		require.NoError(l, send(l.topic, short, longest, short))
		require.NoError(l, send(other, neighbours...))
	}
	tooLong := longest
	tooLong.Properties = remoting.AppendProperty(nil, "long",
		strings.Repeat("x", remoting.MaxProperties-len("long\x01\x02")+1))
	require.ErrorIs(l, send(l.topic, short, tooLong), rocketmq.ErrPropertiesTooLong)
	l.wantReadable(l.topic, 3*rounds)
	l.wantReadable(other, others*rounds)

	require.NoError(l, c.StopBroker(l.broker))
	require.NoError(l, c.StartBroker(l.ctx, l.broker))
	require.NoError(l, send(other, short))
	l.wantReadable(l.topic, 3*rounds)
	l.wantReadable(other, others*rounds+1)
}

// wantReadable waits until queue 0 of the topic delivers that many messages and no more.
func (l *live) wantReadable(topic string, want int64) {
	l.Helper()
	l.until(fmt.Sprintf("topic %s has %d readable messages and no more", topic, want), func() (any, bool) {
		next := int64(0)
		for next < want {
			got, err := l.client.Pull(l.ctx, l.addr,
				rocketmq.PullRequest{Group: l.reader, Topic: topic, Offset: next, Max: 32})
			if err != nil || len(got.Messages) == 0 {
				return fmt.Sprintf("%v, nothing at %d", err, next), false
			}
			next = got.Messages[len(got.Messages)-1].QueueOffset + 1
			got.Release()
		}
		end, err := l.client.MaxOffset(l.ctx, l.addr, topic, 0)
		return fmt.Sprintf("%v, the queue ends at %d", err, end), err == nil && end == want
	})
}
