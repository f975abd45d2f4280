package main

import (
	"context"
	"fmt"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// copyByClientGo is what people write by hand in Go: a push consumer that sends what it gets, and
// asks for it again when the send fails. The order of a queue is not kept.
func copyByClientGo(ctx context.Context, j job, failed func(error)) error {
	rlog.SetLogLevel("warn")
	// Clients of one instance share connections, and with them the cluster: so each has a name of
	// its own.
	p, err := stock.NewProducer(producer.WithNameServer(j.Target), producer.WithInstanceName("target"),
		producer.WithGroupName(j.Group+"-producer"), producer.WithSendMsgTimeout(10*time.Second))
	if err != nil {
		return fmt.Errorf("producer: %w", err)
	}
	if err := p.Start(); err != nil {
		return fmt.Errorf("start the producer: %w", err)
	}
	c, err := stock.NewPushConsumer(consumer.WithNameServer(j.Source), consumer.WithInstance("source"),
		consumer.WithGroupName(j.Group), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumeGoroutineNums(j.Threads), consumer.WithConsumeMessageBatchMaxSize(batchSize))
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	err = c.Subscribe(j.Topic, consumer.MessageSelector{}, forward(p, j.Topic, failed))
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", j.Topic, err)
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("start the consumer: %w", err)
	}
	<-ctx.Done() // no shutdown: the process ends, and it would take seconds that belong to no copy
	return nil
}

type callback = func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

func forward(p stock.Producer, topic string, failed func(error)) callback {
	return func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		copies := make([]*primitive.Message, len(messages))
		for i, m := range messages {
			copies[i] = copyOf(m, topic)
		}
		if _, err := p.SendSync(ctx, copies...); err != nil {
			failed(err)
			return consumer.ConsumeRetryLater, nil
		}
		return consumer.ConsumeSuccess, nil
	}
}

// added is what the consumer adds to a message's properties for itself.
var added = []string{primitive.PropertyMinOffset, primitive.PropertyMaxOffset, primitive.PropertyConsumeStartTime}

func copyOf(original *primitive.MessageExt, topic string) *primitive.Message {
	m := primitive.NewMessage(topic, original.Body)
	m.Flag = original.Flag
	m.WithProperties(original.GetProperties())
	for _, name := range added {
		m.RemoveProperty(name)
	}
	return m
}
