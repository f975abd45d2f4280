package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	client "github.com/apache/rocketmq-client-go/v2/errors"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/require"

	"rocketshift/demo/ledger"
)

func TestOutcomeOfASend(t *testing.T) {
	tests := map[string]struct {
		err  error
		want ledger.Outcome
	}{
		"answered":                       {nil, ledger.Ack},
		"no answer in time":              {client.ErrRequestTimeout, ledger.Maybe},
		"connection broke while sending": {&net.OpError{Op: "write", Err: errors.New("broken pipe")}, ledger.Maybe},
		"anything unknown":               {errors.New("what is this"), ledger.Maybe},
		"broker failed in between":       {errors.New("CODE: 1, DESC: UNKNOWN_ERROR"), ledger.Maybe},
		"nobody listens": {
			fmt.Errorf("send: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}),
			ledger.None,
		},
		"client did not start":        {notSent{errors.New("no name server")}, ledger.None},
		"no route":                    {errors.New("the topic=orders route info not found"), ledger.None},
		"broker of the route unknown": {errors.New("topic=orders route info not found"), ledger.None},
		"broker busy": {
			errors.New("CODE: 2, DESC: [TIMEOUT_CLEAN_QUEUE]broker busy"),
			ledger.None,
		},
		"topic closed for writing": {
			errors.New("CODE: 16, DESC: the broker[127.0.0.1] sending message is forbidden"),
			ledger.None,
		},
		"broker stops":                      {errors.New("CODE: 14, DESC: service not available now"), ledger.None},
		"topic gone":                        {errors.New("CODE: 17, DESC: topic[orders] not exist"), ledger.None},
		"code that begins like a known one": {errors.New("CODE: 162, DESC: what"), ledger.Maybe},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, outcomeOf(tt.err), "error %v", tt.err)
		})
	}
}

// noRoute is a client whose topic has no queue that it may write to.
type noRoute struct{ asked, ended int }

func (c *noRoute) SendSync(context.Context, ...*primitive.Message) (*primitive.SendResult, error) {
	c.asked++
	return nil, errors.New("topic=orders route info not found")
}

func (c *noRoute) Shutdown() error { c.ended++; return nil }

// A client asks for a route that it has only every 30 s: a producer goes on soon after its topic
// opened because each try has a fresh one.
func TestAProducerWithoutAQueueTriesAgainWithAFreshClient(t *testing.T) {
	var clients []*noRoute
	l := link{selector: &keySelector{}, start: func() (stockProducer, error) {
		clients = append(clients, &noRoute{})
		return clients[len(clients)-1], nil
	}}
	for range 3 {
		require.Equal(t, ledger.None, outcomeOf(l.send("key-1", nil)))
	}
	require.Equal(t, []*noRoute{{1, 1}, {1, 1}, {1, 1}}, clients)
	l.start = func() (stockProducer, error) { return nil, errors.New("no name server") }
	require.Equal(t, ledger.None, outcomeOf(l.send("key-1", nil)))
}

func queues(brokers ...string) []*primitive.MessageQueue {
	var all []*primitive.MessageQueue
	for _, b := range brokers {
		for id := range 4 {
			all = append(all, &primitive.MessageQueue{Topic: "orders", BrokerName: b, QueueId: id})
		}
	}
	return all
}

func TestAKeyGetsTheSamePlaceInClientOrderOnEveryCluster(t *testing.T) {
	listed := queues("broker-b", "broker-a") // as a name server may list them
	sorted := queues("broker-a", "broker-b")
	other := queues("x-0", "x-1")
	one := make([]*primitive.MessageQueue, 8) // one broker with as many queues
	for id := range one {
		one[id] = &primitive.MessageQueue{Topic: "orders", BrokerName: "alone", QueueId: id}
	}
	slices.Reverse(one)
	used := map[int]bool{}
	for k := range 64 {
		s := &keySelector{key: fmt.Sprintf("key-%d", k), queues: 8, ordered: producer.NewHashQueueSelector()}
		place := slices.Index(sorted, s.Select(nil, sorted, ""))
		used[place] = true
		require.Equal(t, *sorted[place], *s.Select(nil, listed, ""), "same queue however the name server lists brokers")
		require.Equal(t, *other[place], *s.Select(nil, other, ""), "same place with other broker names")
		require.Equal(t, place, s.Select(nil, one, "").QueueId, "same place with all queues on one broker")
	}
	require.Len(t, used, 8, "64 keys use all queues")
}

func TestAnOrderedProducerSendsNothingWhileTheRouteIsIncomplete(t *testing.T) {
	s := &keySelector{key: "key-1", queues: 8, ordered: producer.NewHashQueueSelector()}
	require.Nil(t, s.Select(nil, queues("broker-a"), ""))
	require.NotNil(t, s.Select(nil, queues("broker-a", "broker-b"), ""))
}

func TestAProducerWithoutOrderTakesTurns(t *testing.T) {
	s := &keySelector{key: "key-1", plain: producer.NewRoundRobinQueueSelector()}
	seen := map[primitive.MessageQueue]int{}
	for range 16 {
		seen[*s.Select(&primitive.Message{Topic: "orders"}, queues("broker-a", "broker-b"), "")]++
	}
	require.Len(t, seen, 8)
	for q, n := range seen {
		require.Equal(t, 2, n, "queue %v", q)
	}
}

func TestTheHistoryGoesOutInBatchesOfOneKey(t *testing.T) {
	s := &sender{o: produceOptions{name: "p", topic: "t", keys: 4, history: 250}, next: 1}
	var sizes []int
	for range 6 {
		records := s.upcoming()
		sizes = append(sizes, len(records))
		for _, r := range records {
			require.Equal(t, records[0].Key, r.Key)
		}
	}
	require.Equal(t, []int{100, 100, 50, 1, 1, 1}, sizes)
	require.EqualValues(t, 254, s.next)
}
