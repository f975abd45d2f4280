// Command application is a stock client that sends a message or reads one, with the keys in
// ACCESS_KEY and SECRET_KEY. It prints what came of it, and fails if nothing did.
//
//	application remoting-send|remoting-read|grpc-send|grpc-read ADDRESS TOPIC GROUP SECONDS
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	rmq "github.com/apache/rocketmq-clients/golang/v5"
	"github.com/apache/rocketmq-clients/golang/v5/credentials"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "want KIND ADDRESS TOPIC GROUP SECONDS")
		os.Exit(2)
	}
	seconds, _ := strconv.Atoi(os.Args[5])
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer cancel()
	a := application{at: os.Args[2], topic: os.Args[3], group: os.Args[4]}
	kinds := map[string]func(context.Context) (string, error){
		"remoting-send": a.remotingSend, "remoting-read": a.remotingRead, "grpc-send": a.grpcSend, "grpc-read": a.grpcRead,
	}
	type outcome struct {
		text string
		err  error
	}
	came := make(chan outcome, 1)
	go func() {
		text, err := kinds[os.Args[1]](ctx)
		came <- outcome{text, err}
	}()
	select {
	case o := <-came:
		if o.err == nil {
			fmt.Println("done:", o.text)
			return
		}
		fmt.Println("not done:", o.err)
	case <-ctx.Done(): // the gRPC client's start waits for ever where a topic's route is refused
		fmt.Println("not done: nothing came of it in time")
	}
	os.Exit(1)
}

type application struct{ at, topic, group string }

func (a application) keys() primitive.Credentials {
	return primitive.Credentials{AccessKey: os.Getenv("ACCESS_KEY"), SecretKey: os.Getenv("SECRET_KEY")}
}

func (a application) remotingSend(ctx context.Context) (string, error) {
	p, err := stock.NewProducer(producer.WithNameServer(primitive.NamesrvAddr{a.at}),
		producer.WithCredentials(a.keys()), producer.WithGroupName("senders"), producer.WithRetry(0))
	if err != nil {
		return "", err
	}
	if err := p.Start(); err != nil {
		return "", err
	}
	defer func() { _ = p.Shutdown() }()
	got, err := p.SendSync(ctx, primitive.NewMessage(a.topic, []byte("by remoting")))
	if err != nil {
		return "", err
	}
	return got.MsgID, nil
}

func (a application) remotingRead(ctx context.Context) (string, error) {
	c, err := stock.NewPushConsumer(consumer.WithNameServer(primitive.NamesrvAddr{a.at}),
		consumer.WithCredentials(a.keys()), consumer.WithGroupName(a.group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return "", err
	}
	got := make(chan string, 1000)
	err = c.Subscribe(a.topic, consumer.MessageSelector{}, func(
		_ context.Context, messages ...*primitive.MessageExt,
	) (consumer.ConsumeResult, error) {
		for _, m := range messages {
			select {
			case got <- string(m.Body):
			default:
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	defer func() { _ = c.Shutdown() }()
	select {
	case body := <-got:
		return body, nil
	case <-ctx.Done():
		return "", errors.New("no message came")
	}
}

func (a application) config() *rmq.Config {
	rmq.EnableSsl = false // a plain endpoint
	return &rmq.Config{Endpoint: a.at, ConsumerGroup: a.group, Credentials: &credentials.SessionCredentials{
		AccessKey: os.Getenv("ACCESS_KEY"), AccessSecret: os.Getenv("SECRET_KEY"),
	}}
}

func (a application) grpcSend(ctx context.Context) (string, error) {
	p, err := rmq.NewProducer(a.config(), rmq.WithTopics(a.topic))
	if err != nil {
		return "", err
	}
	if err := p.Start(); err != nil {
		return "", err
	}
	got, err := p.Send(ctx, &rmq.Message{Topic: a.topic, Body: []byte("by gRPC")})
	if err != nil {
		return "", err
	}
	return got[0].MessageID, nil
}

// one reads one message. A call may wait at a queue that has none for as long as its context does.
func one(ctx context.Context, c rmq.SimpleConsumer) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	got, err := c.Receive(ctx, 1, 10*time.Second)
	if err != nil || len(got) == 0 {
		return "", errors.Join(errors.New("no message came"), err)
	}
	return string(got[0].GetBody()), c.Ack(ctx, got[0])
}

func (a application) grpcRead(ctx context.Context) (string, error) {
	c, err := rmq.NewSimpleConsumer(a.config(), rmq.WithSimpleAwaitDuration(3*time.Second),
		rmq.WithSimpleSubscriptionExpressions(map[string]*rmq.FilterExpression{a.topic: rmq.SUB_ALL}))
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	for {
		if text, err := one(ctx, c); err == nil || ctx.Err() != nil {
			return text, err
		}
	}
}
