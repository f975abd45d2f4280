package rocketmq_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestLivePullSaysWhetherMessagesAreHereNotYetOrElsewhere(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		l.makeGroup()
		l.fill(0, 5)
		for _, row := range []struct {
			name   string
			queue  int
			offset int64
			max    int
			want   rocketmq.PullResult
			bodies []string
		}{
			{"from the beginning", 0, 0, 32, rocketmq.PullResult{Status: rocketmq.PullFound, Next: 5, Max: 5}, []string{"message 0", "message 1", "message 2", "message 3", "message 4"}},
			{"no more than asked for", 0, 1, 2, rocketmq.PullResult{Status: rocketmq.PullFound, Next: 3, Max: 5}, []string{"message 1", "message 2"}},
			{"none asked for is one", 0, 3, 0, rocketmq.PullResult{Status: rocketmq.PullFound, Next: 4, Max: 5}, []string{"message 3"}},
			{"at the end", 0, 5, 32, rocketmq.PullResult{Status: rocketmq.PullNoNew, Next: 5, Max: 5}, nil},
			{"behind the end", 0, 9, 32, rocketmq.PullResult{Status: rocketmq.PullMovedOffset, Next: 5, Max: 5}, nil},
			{"before the beginning", 0, -3, 32, rocketmq.PullResult{Status: rocketmq.PullMovedOffset, Max: 5}, nil},
			{"empty queue", 1, 0, 32, rocketmq.PullResult{Status: rocketmq.PullNoNew}, nil},
		} {
			got, err := l.client.Pull(l.ctx, l.addr, rocketmq.PullRequest{
				Group:  l.group,
				Topic:  l.topic,
				Queue:  row.queue,
				Offset: row.offset,
				Max:    row.max,
			})
			require.NoError(l, err, row.name)
			var bodies []string
			for i, m := range got.Messages {
				bodies = append(bodies, string(m.Body))
				assert.Equal(l, row.offset+int64(i), m.QueueOffset, row.name)
			}
			assert.Equal(l, row.bodies, bodies, row.name)
			got.Release()
			assert.Equal(l, row.want, got, row.name)
		}
	})
}

func TestLivePullsThatCanNotBeServedAreRefused(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		writeOnly := l.topic + "-write-only"
		l.makeTopicNamed(writeOnly, 1)
		require.NoError(
			l,
			l.client.CreateTopic(l.ctx, l.addr,
				rocketmq.TopicConfig{Name: writeOnly, ReadQueues: 1, WriteQueues: 1, Perm: rocketmq.PermWrite}),
		)
		for _, row := range []struct {
			name, topic string
			queue, code int
		}{
			{"topic that isn't there", l.topic + "-nothing", 0, remoting.TopicNotExist},
			{"topic that can't be read", writeOnly, 0, remoting.NoPermission},
			{"queue that isn't there", l.topic, 77, byVersion(l, remoting.SystemError, remoting.InvalidParameter)},
		} {
			_, err := l.client.Pull(l.ctx, l.addr,
				rocketmq.PullRequest{Group: l.reader, Topic: row.topic, Queue: row.queue, Max: 1})
			l.wantCode(row.name, row.code, err)
			assert.ErrorContains(l, err, row.topic, row.name)
		}
	})
}

func TestLiveLongPullEndsEmptyAfterItsWait(t *testing.T) {
	t.Parallel()
	onEach(t, func(l *live) {
		l.makeTopic(1)
		const wait = time.Second
		began := time.Now()
		got, err := l.client.Pull(l.ctx, l.addr,
			rocketmq.PullRequest{Group: l.reader, Topic: l.topic, Max: 1, Wait: wait})
		require.NoError(l, err)
		assert.Equal(l, rocketmq.PullResult{Status: rocketmq.PullNoNew}, got)
		assert.GreaterOrEqual(l, time.Since(began), wait, "it was held for less than asked")
	})
}

func TestLiveLongPullEndsWithTheMessageThatArrives(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		ended := l.hold(
			rocketmq.PullRequest{Topic: l.topic, Max: 1, Wait: time.Hour},
		) // the test's own deadline comes first
		l.batch(0, rocketmq.BatchMessage{Body: []byte("awaited")}) // on the connection that the pull waits on
		got, err := ended()
		require.NoError(l, err, "it was held although there was a message")
		require.Len(l, got.Messages, 1)
		assert.Equal(l, "awaited", string(got.Messages[0].Body))
	})
}

func TestLiveAnswersFindTheirCallsOnOneConnection(t *testing.T) {
	onEach(t, func(l *live) {
		const queues = 16
		l.makeTopic(queues)
		for queue := range queues {
			l.fill(queue, queue+1)
		}
		var calls sync.WaitGroup
		for i := range 40 * queues {
			queue := i % queues
			calls.Go(func() {
				got, err := l.client.MaxOffset(l.ctx, l.addr, l.topic, queue)
				if err != nil || got != int64(queue+1) {
					l.Errorf("end of queue %d: %d, %v; wanted %d", queue, got, err, queue+1)
				}
			})
			calls.Go(func() {
				got, err := l.client.Pull(l.ctx, l.addr,
					rocketmq.PullRequest{Group: l.reader, Topic: l.topic, Queue: queue, Max: 32})
				if err != nil || len(got.Messages) != queue+1 || got.Messages[0].Queue != queue {
					l.Errorf("pull of queue %d: %d messages, %v; wanted %d", queue, len(got.Messages), err, queue+1)
				}
			})
		}
		calls.Wait()
	})
}
