package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"

	"rocketshift/demo/ledger"
)

// intake decides which deliveries are still worked on when the application ends.
//
// The stock client forgets what is in work when it shuts down: it commits the lowest unfinished offset of each queue, and
// whatever was worked on above it is delivered again. So from the stop signal on, a delivery is admitted only if a later
// one of its queue was admitted already: each queue ends at one offset, with all work below done and none above begun.
type intake struct {
	mu      sync.Mutex
	file    *ledger.File
	highest map[primitive.MessageQueue]int64 // highest offset admitted
	closing bool
}

func newIntake(file *ledger.File) *intake {
	return &intake{file: file, highest: map[primitive.MessageQueue]int64{}}
}

func (i *intake) admit(q primitive.MessageQueue, offset int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	highest, seen := i.highest[q]
	if i.closing && (!seen || offset > highest) {
		return false
	}
	if !seen || offset > highest {
		i.highest[q] = offset
	}
	return true
}

func (i *intake) note(m *primitive.MessageExt) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.file.Received(record(m))
}

// close returns the position that each queue will end at.
func (i *intake) close() map[primitive.MessageQueue]int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closing = true
	ends := make(map[primitive.MessageQueue]int64, len(i.highest))
	for q, offset := range i.highest {
		ends[q] = offset + 1
	}
	return ends
}

// stockConsumer is what the application uses of the client's push consumer. positions are the client's own, in memory.
type stockConsumer struct {
	pushConsumer
	positions func() map[primitive.MessageQueue]int64
}

// callback is the client's type of message handlers.
type callback = func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

type pushConsumer interface {
	Start() error
	Shutdown() error
	Subscribe(topic string, selector consumer.MessageSelector, f callback) error
	Unsubscribe(topic string) error
	Suspend()
	Rebalance()
	PersistConsumerOffset() error
}

func newStockConsumer(options ...consumer.Option) (stockConsumer, error) {
	client, err := consumer.NewPushConsumer(options...)
	if err != nil {
		return stockConsumer{}, err
	}
	return stockConsumer{pushConsumer: client, positions: func() map[primitive.MessageQueue]int64 {
		positions := map[primitive.MessageQueue]int64{}
		for q, info := range client.GetConsumerRunningInfo(false).MQTable {
			positions[q] = info.CommitOffset
		}
		return positions
	}}, nil
}

const (
	// stopPatience bounds the wait for work that has begun.
	stopPatience = 10 * time.Second
	// commitPause lets the broker process earlier commits before the last ones: it handles them in several threads.
	commitPause = 200 * time.Millisecond
)

// stop ends the membership so that nothing is lost or repeated: work that has begun is finished and its positions are on the
// broker before the client goes.
func (m *member) stop() error {
	m.client.Suspend()
	late := m.awaitPositions(m.intake.close())
	if err := m.client.PersistConsumerOffset(); err != nil {
		return fmt.Errorf("group %s: positions not committed: %w", m.o.group, err)
	}
	time.Sleep(commitPause)
	if !m.o.orderly {
		// Shutdown closes the channels of queues that a pull may be filling, which panics. A queue that was given up before
		// has none. Orderly consumption doesn't use these channels, and has locks that only Shutdown gives back.
		for _, topic := range m.o.topics {
			if err := m.client.Unsubscribe(topic); err != nil {
				return err
			}
		}
		m.client.Rebalance()
	}
	if err := m.client.Shutdown(); err != nil {
		return err
	}
	return late
}

// awaitPositions waits until the client's positions are where the queues end. A queue that went to another member meanwhile
// is that member's.
func (m *member) awaitPositions(ends map[primitive.MessageQueue]int64) error {
	deadline := time.Now().Add(stopPatience)
	for {
		behind := ""
		positions := m.client.positions()
		for q, end := range ends {
			if at, mine := positions[q]; mine && at < end {
				behind = fmt.Sprintf("%s queue %d of %s is at %d, wanted %d", q.Topic, q.QueueId, q.BrokerName, at, end)
			}
		}
		if behind == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("group %s: work not finished in %s: %s", m.o.group, stopPatience, behind)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
