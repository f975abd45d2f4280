package replicator

import (
	"context"
	"sync"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
)

// stuck is a side that never answers the batch which brings a queue so many messages, nor those
// after it, and stores them all the same: a copier that works with it stops in the middle, with
// batches on their way.
type stuck struct {
	replica.Side
	each int // messages of each queue

	mu       sync.Mutex
	taken    map[replicatest.Queue]int
	silent   map[replicatest.Queue]bool // queues that have a batch without an answer
	messages int64                      // in those batches
}

func newStuck(side replica.Side, each int) *stuck {
	return &stuck{Side: side, each: each, taken: map[replicatest.Queue]int{}, silent: map[replicatest.Queue]bool{}}
}

func (s *stuck) Send(
	ctx context.Context,
	broker string,
	batch rocketmq.BatchRequest,
	alone bool,
) (rocketmq.SendResult, error) {
	result, err := s.Side.Send(ctx, broker, batch, alone)
	if err != nil {
		return result, err
	}
	s.mu.Lock()
	at := replicatest.Queue{Topic: batch.Topic, Queue: lane.Queue{Broker: broker, ID: batch.Queue}}
	s.taken[at] += len(batch.Messages)
	enough := s.taken[at] >= s.each
	if enough {
		s.silent[at] = true
		s.messages += int64(len(batch.Messages))
	}
	s.mu.Unlock()
	if !enough {
		return result, nil
	}
	<-ctx.Done()
	return rocketmq.SendResult{}, ctx.Err()
}

func (s *stuck) unanswered() (queues int, messages int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.silent), s.messages
}
