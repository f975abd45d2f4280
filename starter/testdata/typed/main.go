// Command typed is a stock gRPC client that sends messages of types to topics, or reads one message
// of each topic, with the keys in ACCESS_KEY and SECRET_KEY. It prints a JSON object: what came of
// each, "" for a message that was sent.
//
//	typed send PROXY SECONDS TOPIC=TYPE,...
//	typed read PROXY SECONDS TOPIC,... GROUP
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
	"github.com/apache/rocketmq-clients/golang/v5/credentials"
)

func main() {
	seconds, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer cancel()
	names := strings.Split(os.Args[4], ",")
	come := make(chan map[string]string, 1)
	go func() { // a start waits for ever where a topic's route is refused
		if os.Args[1] == "send" {
			come <- send(ctx, names)
		} else {
			come <- read(ctx, names, os.Args[5])
		}
	}()
	var out map[string]string
	select {
	case out = <-come:
	case <-time.After(time.Duration(seconds+5) * time.Second):
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fail(err)
	}
	os.Exit(0) // the client's own shutdown waits for its streams
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func config(group string) *rmq.Config {
	rmq.EnableSsl = false // a plain endpoint
	return &rmq.Config{Endpoint: os.Args[2], ConsumerGroup: group, Credentials: &credentials.SessionCredentials{
		AccessKey: os.Getenv("ACCESS_KEY"), AccessSecret: os.Getenv("SECRET_KEY"),
	}}
}

func send(ctx context.Context, names []string) map[string]string {
	var topics []string
	for _, name := range names {
		topic, _, _ := strings.Cut(name, "=")
		topics = append(topics, topic)
	}
	p, err := rmq.NewProducer(config(""), rmq.WithTopics(topics...), rmq.WithMaxAttempts(1),
		rmq.WithTransactionChecker(&rmq.TransactionChecker{
			Check: func(*rmq.MessageView) rmq.TransactionResolution { return rmq.COMMIT },
		}))
	if err != nil {
		fail(err)
	}
	if err := p.Start(); err != nil {
		fail(err)
	}
	out := map[string]string{}
	for _, name := range names {
		topic, kind, _ := strings.Cut(name, "=")
		out[name] = ""
		if err := sendOne(ctx, p, topic, kind); err != nil {
			out[name] = err.Error()
		}
	}
	return out
}

func sendOne(ctx context.Context, p rmq.Producer, topic, kind string) error {
	m := &rmq.Message{Topic: topic, Body: []byte("by gRPC")}
	switch kind {
	case "FIFO":
		m.SetMessageGroup("k")
	case "DELAY":
		m.SetDelayTimestamp(time.Now().Add(time.Second))
	case "TRANSACTION":
		t := p.BeginTransaction()
		if _, err := p.SendWithTransaction(ctx, m, t); err != nil {
			return err
		}
		return t.Commit()
	}
	_, err := p.Send(ctx, m)
	return err
}

func read(ctx context.Context, topics []string, group string) map[string]string {
	all := map[string]*rmq.FilterExpression{}
	for _, topic := range topics {
		all[topic] = rmq.SUB_ALL
	}
	c, err := rmq.NewSimpleConsumer(config(group), rmq.WithSimpleAwaitDuration(3*time.Second),
		rmq.WithSimpleSubscriptionExpressions(all))
	if err != nil {
		fail(err)
	}
	if err := c.Start(); err != nil {
		fail(err)
	}
	out, last := map[string]string{}, ""
	for ctx.Err() == nil && len(out) < len(topics) {
		once, cancel := context.WithTimeout(ctx, 6*time.Second) // a call may wait as long as its context
		got, err := c.Receive(once, 16, 10*time.Second)
		cancel()
		if err != nil {
			last = err.Error()
		}
		for _, m := range got {
			if err := c.Ack(ctx, m); err == nil {
				out[m.GetTopic()] = string(m.GetBody())
			}
		}
	}
	if len(out) < len(topics) {
		out["error"] = last
	}
	return out
}
