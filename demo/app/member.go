package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// stockConsumer is what the application uses of the client's push consumer. positions are the
// client's own, in memory.
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
	// startPatience bounds the wait for queues: one whose lock a member before left behind comes
	// within a minute.
	startPatience = 20 * time.Second
	// stopPatience bounds the wait for work that has begun.
	stopPatience = time.Minute
	// commitPause lets the broker finish earlier commits before the last ones. Each pull carries
	// the position that the client had before it, and the broker may handle it after a commit that
	// was sent later: tens of milliseconds on an idle machine.
	commitPause = time.Second
)

// awaitQueues waits until the member has taken the queues that are its. A member that ended in the
// middle of that would leave locks behind that nobody gives back.
func (m *member) awaitQueues() {
	deadline := time.Now().Add(startPatience)
	for {
		missing := ""
		taken := m.client.positions()
		for _, topic := range m.o.topics {
			mine, done := m.intake.allocated(topic)
			if !done {
				missing = "queues of " + topic
			}
			for _, q := range mine {
				if _, has := taken[*q]; !has {
					missing = q.String()
				}
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			log.Printf("group %s: not taken after %s: %s", m.o.group, startPatience, missing)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stop ends the membership so that nothing is lost or repeated: work that has begun is finished and
// its positions are on the broker before the client goes.
func (m *member) stop() error {
	m.client.Suspend()
	late := m.awaitPositions(m.intake.close())
	time.Sleep(commitPause)
	if err := m.client.PersistConsumerOffset(); err != nil {
		return fmt.Errorf("group %s: positions not committed: %w", m.o.group, err)
	}
	time.Sleep(commitPause)
	if !m.o.orderly {
		// Shutdown closes the channels of queues that a pull may be filling, which panics. A queue
		// that was given up before has none. Orderly consumption doesn't use these channels, and
		// has locks that only Shutdown gives back.
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

// awaitPositions waits until the client's positions are where the queues end. A queue that went to
// another member meanwhile is that member's.
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
