package rocketmq_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
)

// Brokers show clients what is configured, and store in all queues, seen by producers or not. So
// lanes can fill those of a target whose producers mustn't see them. What has more queues to write
// to than to read from can't be copied.
func TestLiveBrokersServeQueuesThatProducersDontSee(t *testing.T) {
	onEach(t, func(l *live) {
		l.topicsCreated = append(l.topicsCreated, l.topic)
		for i, config := range []rocketmq.TopicConfig{
			{ReadQueues: 4, WriteQueues: 2, Perm: 6},
			{ReadQueues: 4, WriteQueues: 0, Perm: 6},
			{ReadQueues: 4, WriteQueues: 4, Perm: 4},
			{ReadQueues: 4, WriteQueues: 0, Perm: 4},
			{ReadQueues: 2, WriteQueues: 4, Perm: 6},
		} {
			config.Name = l.topic
			name := fmt.Sprintf("%d read, %d write, permission %d", config.ReadQueues, config.WriteQueues, config.Perm)
			require.NoError(l, l.client.CreateTopic(l.ctx, l.addr, config), name)
			want := []rocketmq.RouteQueue{
				{
					BrokerName: l.broker,
					Read:       config.ReadQueues,
					Write:      config.WriteQueues,
					Perm:       config.Perm,
				},
			}
			l.until("the route shows "+name, func() (any, bool) {
				got, err := l.cluster.Route(l.ctx, l.topic)
				return fmt.Sprint(got, err), err == nil && assert.ObjectsAreEqual(want, got.Queues)
			})
			for queue := range config.Queues() {
				got := l.batch(queue, rocketmq.BatchMessage{Body: []byte("copy")})
				assert.EqualValues(l, i, got.Offset, "%s: queue %d", name, queue)
				_, err := l.client.Pull(l.ctx, l.addr,
					rocketmq.PullRequest{Group: l.reader, Topic: l.topic, Queue: queue, Max: 1})
				assert.Equal(l, queue < config.ReadQueues, err == nil, "%s: queue %d: %v", name, queue, err)
			}
			l.until("all queues of "+name+" are counted", func() (any, bool) {
				ranges, err := l.client.Ranges(l.ctx, l.addr, l.topic, config.Queues())
				ok := err == nil && len(ranges) == 4
				for queue := range 4 {
					ok = ok && ranges[queue].Max == int64(i)+1
				}
				return fmt.Sprint(ranges, err), ok
			})
			stats, err := l.client.TopicStats(l.ctx, l.addr, l.topic)
			require.NoError(l, err)
			assert.Len(l, stats, byVersion(l, config.WriteQueues, 4),
				"%s: brokers before 5.x list those that are written to", name)
		}
	})
}
