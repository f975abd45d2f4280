package main

import (
	"context"
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"

	"rocketshift/demo/ledger"
)

// link is the stock producer. It is started at the first send, and started again when the topic has
// no queue to write to: the client asks for a route that it has already only every 30 s, a fresh
// client asks at once.
type link struct {
	selector *keySelector
	client   stockProducer
	start    func() (stockProducer, error) // a fresh client
}

// stockProducer is what the application uses of the client's producer.
type stockProducer interface {
	SendSync(ctx context.Context, messages ...*primitive.Message) (*primitive.SendResult, error)
	Shutdown() error
}

func newLink(o produceOptions) link {
	s := &keySelector{queues: o.queues, plain: producer.NewRoundRobinQueueSelector()}
	if o.ordered {
		s.ordered = producer.NewHashQueueSelector()
	}
	return link{selector: s, start: func() (stockProducer, error) { return startProducer(o, s) }}
}

// send waits for the broker's answer (the client gives up after 3 s). The context is none of the
// application's: a send that has begun is finished.
func (l *link) send(key string, messages []*primitive.Message) error {
	if l.client == nil {
		client, err := l.start()
		if err != nil {
			return notSent{err}
		}
		l.client = client
	}
	l.selector.key = key
	_, err := l.client.SendSync(context.Background(), messages...)
	if noQueue(err) {
		l.close()
	}
	return err
}

func startProducer(o produceOptions, s *keySelector) (stockProducer, error) {
	client, err := producer.NewDefaultProducer(
		producer.WithGroupName("demo-"+o.name),
		producer.WithInstanceName(o.instance),
		producer.WithNameServer(primitive.NamesrvAddr(o.nameServers)),
		producer.WithQueueSelector(s),
		producer.WithSendMsgTimeout(3*time.Second),
		producer.WithRetry(
			0,
		), // a repeated send is this application's decision: the client would repeat unclear ones, too
	)
	if err != nil {
		return nil, err
	}
	return client, client.Start()
}

func (l *link) close() {
	if l.client != nil {
		_ = l.client.Shutdown()
		l.client = nil
	}
}

// keySelector picks the queue of the key. Requests go out one at a time, so the key is set before
// each: a batch has no key of its own to look at.
type keySelector struct {
	key string
	// when set, a route with another number is no route: it is about to change, and keys would
	// change queues
	queues  int
	plain   producer.QueueSelector
	ordered producer.QueueSelector // nil: keys don't matter
}

// Select implements producer.QueueSelector. The client lists queues as the name server happens to
// list the brokers, which differs between clusters; sorted by broker and queue id, the same key
// gets the i-th queue everywhere.
func (s *keySelector) Select(
	m *primitive.Message,
	queues []*primitive.MessageQueue,
	lastBroker string,
) *primitive.MessageQueue {
	if s.ordered == nil {
		return s.plain.Select(m, queues, lastBroker)
	}
	if s.queues > 0 && len(queues) != s.queues {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(queues), func(a, b *primitive.MessageQueue) int {
		if c := strings.Compare(a.BrokerName, b.BrokerName); c != 0 {
			return c
		}
		return a.QueueId - b.QueueId
	})
	return s.ordered.Select(new(primitive.Message).WithShardingKey(s.key), sorted, lastBroker)
}

// notSent wraps an error from before anything was sent.
type notSent struct{ error }

var brokerCode = regexp.MustCompile(`^CODE: (\d+), DESC: `)

// refusals are answers of a broker that surely didn't store the message: busy (2), no such request
// (3), illegal message (13), not serving (14), topic closed for writing (16), no such topic (17),
// flow control (215), going away (1500). Code 1 is not among them: it also stands for errors in the
// middle of storing.
var refusals = []int{2, 3, 13, 14, 16, 17, 215, 1500}

// outcomeOf says what a send's error means for the message: Ack, None (surely not stored: send it
// again) or Maybe.
func outcomeOf(err error) ledger.Outcome {
	if err == nil {
		return ledger.Ack
	}
	var before notSent
	var network *net.OpError
	if errors.As(err, &before) || noQueue(err) || errors.As(err, &network) && network.Op == "dial" {
		return ledger.None
	}
	if m := brokerCode.FindStringSubmatch(err.Error()); m != nil {
		if code, e := strconv.Atoi(m[1]); e == nil && slices.Contains(refusals, code) {
			return ledger.None
		}
	}
	return ledger.Maybe
}

// noQueue recognises the client's answer when its route has no queue that it may write to (or the
// selector accepts none).
func noQueue(err error) bool {
	return err != nil && strings.HasSuffix(err.Error(), "route info not found")
}
