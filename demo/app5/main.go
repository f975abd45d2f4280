// Command rocketshift-demo-app5 is an application of the time after the migration: it reads a topic
// through the proxy of RocketMQ 5.x with the stock client (rocketmq-clients/golang v5), and prints
// how many different messages it read. The demo uses it as the proof that what was migrated is
// readable the new way.
//
//	rocketshift-demo-app5 -endpoint HOST:PORT -group GROUP -topic TOPIC -expect 8000
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
	"github.com/apache/rocketmq-clients/golang/v5/credentials"
	"go.uber.org/zap"

	"rocketshift/internal/version"
)

const (
	// receivers ask in parallel: an acknowledgement is a round trip for each message.
	receivers = 16
	// starting bounds the wait for a proxy's answers; a busy one may take several tries.
	starting = 3 * time.Minute
	// batch is how many messages one request may return; the proxy gives at most 32.
	batch = 32
	// invisible is how long a received message is kept from others before it is delivered again.
	invisible = time.Minute
	// wait is how long a request for messages stays open on the proxy; 5 s is the least that it
	// accepts.
	wait = 5 * time.Second
)

const (
	programName = "rocketshift-demo-app5"
	help        = `rocketshift-demo-app5 reads a topic through the proxy of RocketMQ 5.x with the stock client, and prints how many
different messages it read.

Usage:
  rocketshift-demo-app5 -endpoint HOST:PORT -group G -topic T [-expect N] [-within 30s]
  rocketshift-demo-app5 --help | --version

  -endpoint  gRPC endpoint of the proxy
  -group     consumer group; it has to exist
  -topic     topic to read
  -expect    number of different messages to read, 1 if absent
  -within    how long to read at most, from the start of the client on
`
)

type options struct {
	endpoint, group, topic string
	expect                 int
	within                 time.Duration
}

func main() {
	if version.Answer(os.Stdout, programName, help, os.Args[1:]) {
		return
	}
	o := readOptions(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := read(ctx, o)
	fmt.Println(n)
	if err != nil {
		fmt.Fprintln(os.Stderr, programName+":", err)
		os.Exit(1)
	}
}

func readOptions(args []string) options {
	var o options
	f := flag.NewFlagSet(programName, flag.ExitOnError)
	f.StringVar(&o.endpoint, "endpoint", "", "gRPC endpoint of the proxy")
	f.StringVar(&o.group, "group", "", "consumer group; it has to exist")
	f.StringVar(&o.topic, "topic", "", "topic to read")
	f.IntVar(&o.expect, "expect", 1, "number of different messages to read")
	f.DurationVar(&o.within, "within", 30*time.Second, "how long to read at most, from the start of the client on")
	_ = f.Parse(args) // ExitOnError
	return o
}

// read returns how many different messages it read, at most o.expect.
func read(ctx context.Context, o options) (int, error) {
	rmq.EnableSsl = false // a plain endpoint
	rmq.ResetLogger()
	dial := rmq.NewRpcClient
	defer func() { rmq.NewRpcClient = dial }()
	rmq.NewRpcClient = func(target string, o ...rmq.RpcClientOption) (rmq.RpcClient, error) {
		return dial(target, append(o, unlogged())...)
	}
	consumer, err := start(ctx, o)
	if err != nil {
		return 0, err
	}
	defer func() { _ = consumer.GracefulStop() }()
	ctx, cancel := context.WithTimeout(ctx, o.within)
	defer cancel()
	r := reading{expect: o.expect, seen: map[string]bool{}, enough: cancel}
	var receiving sync.WaitGroup
	for range receivers {
		receiving.Go(func() { r.receive(ctx, consumer) })
	}
	receiving.Wait()
	if n := len(r.seen); n < o.expect {
		return n, fmt.Errorf("topic %s: read %d of %d messages in %s; last error: %v", o.topic, n, o.expect,
			o.within, r.last)
	}
	return len(r.seen), nil
}

// unlogged turns off the client's second log, of each call: it goes to a fixed file in the system's
// folder for temporary files, and no setting changes that.
func unlogged() rmq.RpcClientOption {
	return rmq.WithRpcClientConnOption(rmq.WithZapLogger(zap.NewNop()))
}

// start tries again while it has time: a busy proxy may take longer to tell the route than the
// client waits.
func start(ctx context.Context, o options) (rmq.SimpleConsumer, error) {
	ctx, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	for {
		consumer, err := rmq.NewSimpleConsumer(
			&rmq.Config{Endpoint: o.endpoint, ConsumerGroup: o.group, Credentials: &credentials.SessionCredentials{}},
			rmq.WithSimpleAwaitDuration(wait),
			rmq.WithSimpleSubscriptionExpressions(map[string]*rmq.FilterExpression{o.topic: rmq.SUB_ALL}),
		)
		if err == nil {
			err = consumer.Start()
		}
		if err == nil {
			return consumer, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("consumer of %s at %s did not start: %w", o.topic, o.endpoint, err)
		case <-time.After(time.Second):
		}
	}
}

// reading collects what the receivers get.
type reading struct {
	mu     sync.Mutex
	expect int
	seen   map[string]bool
	last   error
	enough func()
}

func (r *reading) receive(ctx context.Context, consumer rmq.SimpleConsumer) {
	for ctx.Err() == nil {
		messages, err := consumer.Receive(ctx, batch, invisible)
		for _, m := range messages {
			if e := consumer.Ack(ctx, m); e != nil {
				err = e
				continue // it comes again, and counts once
			}
			r.add(m.GetBody())
		}
		if err != nil && ctx.Err() == nil {
			r.fail(err) // "no message" is an error of this client, too
		}
	}
}

func (r *reading) add(data []byte) {
	var body struct {
		ID string `json:"id"`
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := json.Unmarshal(data, &body); err != nil || body.ID == "" {
		r.last = fmt.Errorf("a message whose body no demo application wrote: %.60q", data)
		return
	}
	if r.seen[body.ID] = true; len(r.seen) >= r.expect {
		r.enough()
	}
}

func (r *reading) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = err
}
