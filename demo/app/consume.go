package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"

	"rocketshift/demo/ledger"
)

type consumeOptions struct {
	common
	group   string
	topics  []string
	orderly bool
	work    time.Duration
	cache   int64
}

func consumeFlags(args []string) (consumeOptions, error) {
	var o consumeOptions
	f := flag.NewFlagSet("consume", flag.ExitOnError)
	check := o.common.flags(f)
	f.StringVar(&o.group, "group", "", "consumer group")
	topics := f.String("topics", "", "topics, separated by commas")
	f.BoolVar(&o.orderly, "orderly", false, "consume each queue in order")
	f.DurationVar(&o.work, "work", 0, "how long the work on one message takes")
	f.Int64Var(&o.cache, "cache", 1024, "messages of a queue that the client holds before they are worked on")
	_ = f.Parse(args) // ExitOnError
	if err := check(); err != nil {
		return o, err
	}
	if o.group == "" || *topics == "" {
		return o, fmt.Errorf("-group and -topics are needed")
	}
	o.topics = strings.Split(*topics, ",")
	return o, nil
}

// member is one member of a consumer group on the stock push consumer.
type member struct {
	o      consumeOptions
	intake *intake
	client stockConsumer
}

func consume(ctx context.Context, o consumeOptions) error {
	file, err := ledger.Open(o.ledger)
	if err != nil {
		return err
	}
	defer file.Close()
	m := &member{o: o, intake: newIntake(file, o.instance)}
	for {
		err := m.start()
		if err == nil {
			break
		}
		log.Printf("group %s: not started, trying again: %v", o.group, err)
		if !sleep(ctx, 500*time.Millisecond) {
			return nil
		}
	}
	m.awaitQueues()
	fmt.Printf("ready group %s of %s at %s\n", o.group, strings.Join(o.topics, ","), strings.Join(o.nameServers, ","))
	<-ctx.Done()
	return m.stop()
}

// start subscribes with a fresh client: one whose start failed can't be started again.
func (m *member) start() error {
	client, err := newStockConsumer(
		consumer.WithGroupName(m.o.group),
		consumer.WithInstance(m.o.instance),
		consumer.WithNameServer(primitive.NamesrvAddr(m.o.nameServers)),
		consumer.WithConsumerModel(consumer.Clustering),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumerOrder(m.o.orderly),
		consumer.WithConsumeMessageBatchMaxSize(1),
		consumer.WithStrategy(m.intake.allocate),
		consumer.WithPullThresholdForQueue(m.o.cache),
		// A queue that was locked after the client's start is read only from the next round of
		// locking on.
		consumer.WithRebalanceLockInterval(5*time.Second),
	)
	if err != nil {
		return err
	}
	for _, topic := range m.o.topics {
		if err := client.Subscribe(topic, consumer.MessageSelector{}, m.receive); err != nil {
			return err
		}
	}
	m.client = client
	return client.Start()
}

// receive notes each message before it acknowledges it. A message that the intake holds back is
// neither noted nor acknowledged: it belongs to whoever reads the queue next.
func (m *member) receive(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	for _, message := range messages {
		if !m.intake.admit(*message.Queue, message.QueueOffset) {
			select {} // the application is ending
		}
		time.Sleep(m.o.work)
		if err := m.intake.note(message); err != nil {
			// A delivery that can't be noted must not be acknowledged, and a retry would break the
			// order.
			fmt.Fprintf(os.Stderr, "rocketshift-demo-app: group %s: ledger: %v\n", m.o.group, err)
			os.Exit(1)
		}
	}
	return consumer.ConsumeSuccess, nil
}

// record reads a delivery. A body that no demo producer wrote is noted too, for the verdict to
// stumble over.
func record(m *primitive.MessageExt) ledger.Received {
	var b body
	if err := json.Unmarshal(m.Body, &b); err != nil || b.ID == "" {
		b = body{ID: "unreadable", Key: "unreadable"}
	}
	return ledger.Received{
		ID: b.ID, Key: b.Key, At: time.Now().UnixNano(), MsgID: m.MsgId,
		Topic: m.Topic, Broker: m.Queue.BrokerName, Queue: m.Queue.QueueId, Offset: m.QueueOffset,
	}
}
