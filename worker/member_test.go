package main

import (
	"context"
	"fmt"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
)

// member makes a group on the source that reads a topic, with one member on a stock client.
func (c *testCluster) member(group, topic string) {
	c.Helper()
	brokers, err := c.source.Brokers(c.ctx)
	require.NoError(c, err)
	for _, b := range brokers {
		require.NoError(c, c.source.Client().PutGroup(c.ctx, b.Addr, rocketmq.Group{
			Name: group, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true,
			RetryQueues: 1, RetryMaxTimes: 5, WhichBrokerWhenSlow: 1, NotifyChanged: true,
		}))
	}
	rlog.SetLogLevel("error") // of the process
	m, err := stock.NewPushConsumer(
		consumer.WithGroupName(group), consumer.WithInstance(group),
		consumer.WithNsResolver(primitive.NewPassthroughResolver(c.plan.Source.NameServers)),
	)
	require.NoError(c, err)
	take := func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		return consumer.ConsumeSuccess, nil
	}
	require.NoError(c, m.Subscribe(topic, consumer.MessageSelector{}, take))
	require.NoError(c, m.Start())
	c.Cleanup(func() { _ = m.Shutdown() })
}

// writeSometimes makes the topics, and writes into each of them more often than once in a settle
// time.
func (c *testCluster) writeSometimes() {
	c.Helper()
	brokers, err := c.source.Brokers(c.ctx)
	require.NoError(c, err)
	require.Len(c, brokers, 2)
	calls := c.source.Client()
	topics := make([]string, costTopics)
	for i := range topics {
		topics[i] = fmt.Sprintf("%s-%03d", c.plan.Name, i)
		require.NoError(c, calls.CreateTopic(c.ctx, brokers[i%2].Addr, rocketmq.TopicConfig{
			Name: topics[i], ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG",
		}))
	}
	ctx, cancel := context.WithCancel(c.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			for i, topic := range topics {
				_, err := calls.SendMessage(ctx, brokers[i%2].Addr, rocketmq.SendRequest{
					Group: "producers", Topic: topic, BornTimestamp: time.Now().UnixMilli(), Body: []byte(topic),
				})
				if err != nil && ctx.Err() == nil {
					c.Logf("send: %v", err) // the next round comes
				}
			}
			_ = waitFor(ctx, 10*time.Second)
		}
	}()
	c.Cleanup(func() { cancel(); <-ended })
}
