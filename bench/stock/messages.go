package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

const (
	// fillBatch is the size from which on larger batches cost a broker no less per message.
	fillBatch = 300
	// numberSize is the length of the number that each body begins with.
	numberSize = 12
)

// fill makes a topic and writes messages with the numbers from 0 on to its queues in turn.
func (s *side) fill(ctx context.Context, topic string, l load) error {
	if err := s.makeTopic(ctx, topic, l.queues); err != nil {
		return err
	}
	brokers, err := s.cluster.Brokers(ctx)
	if err != nil {
		return err
	}
	for start, turn := 0, 0; start < l.messages; start, turn = start+fillBatch, turn+1 {
		request := rocketmq.BatchRequest{
			Group: "bench-fill", Topic: topic, Queue: turn / len(brokers) % l.queues,
			BornTimestamp: time.Now().UnixMilli(),
		}
		for n := start; n < min(l.messages, start+fillBatch); n++ {
			request.Messages = append(request.Messages, message(n, l.body))
		}
		err := remoting.Retry(ctx, func() error {
			_, err := s.client.SendBatch(ctx, brokers[turn%len(brokers)].Addr, request)
			return err
		})
		if err != nil {
			return fmt.Errorf("fill topic %s: %w", topic, err)
		}
	}
	return nil
}

// message looks as if a stock producer had sent it.
func message(n, body int) rocketmq.BatchMessage {
	number := fmt.Sprintf("%0*d", numberSize, n)
	return rocketmq.BatchMessage{
		Body: append([]byte(number), bytes.Repeat([]byte{'x'}, max(0, body-numberSize))...),
		Properties: remoting.EncodeProperties([]remoting.Property{
			{Name: remoting.PropKeys, Value: "key-" + number},
			{Name: "UNIQ_KEY", Value: fmt.Sprintf("7F000001%024X", n)},
			{Name: "WAIT", Value: "true"},
			{Name: remoting.PropTags, Value: "bench"},
		}),
	}
}

// tally is what a topic holds.
type tally struct {
	different   int64 // messages, each counted once
	duplicates  int64
	first, last int64 // when the first and the last were stored, in milliseconds since 1970
}

// tally reads a whole topic that fill, or a copier, has written.
func (s *side) tally(ctx context.Context, topic string, messages int) (tally, error) {
	var t tally
	seen := make([]bool, messages)
	brokers, err := s.cluster.Brokers(ctx)
	if err != nil {
		return t, err
	}
	for _, b := range brokers {
		queues, err := s.stats(ctx, b.Addr, topic)
		if err != nil {
			return t, err
		}
		for queue, held := range queues {
			for at := held.Min; at < held.Max; {
				read, err := s.pull(ctx, b.Addr,
					rocketmq.PullRequest{Group: "bench-tally", Topic: topic, Queue: queue, Offset: at, Max: batchSize})
				if err != nil {
					return t, err
				}
				if err := t.add(read.Messages, seen); err != nil {
					return t, fmt.Errorf("topic %s, queue %d of %s, from %d on: %w", topic, queue, b.Name, at, err)
				}
				at = read.Next
			}
		}
	}
	return t, nil
}

func (t *tally) add(messages []remoting.Message, seen []bool) error {
	for _, m := range messages {
		n, err := strconv.Atoi(string(m.Body[:min(numberSize, len(m.Body))]))
		if err != nil || n < 0 || n >= len(seen) {
			return fmt.Errorf("a body that nobody wrote: %.20q", m.Body)
		}
		if seen[n] {
			t.duplicates++
		} else {
			t.different++
		}
		seen[n] = true
		if t.first == 0 {
			t.first = m.StoreTimestamp
		}
		t.first, t.last = min(t.first, m.StoreTimestamp), max(t.last, m.StoreTimestamp)
	}
	return nil
}

// stored is how many messages a topic holds, each copy counted.
func (s *side) stored(ctx context.Context, topic string) (int64, error) {
	brokers, err := s.cluster.Brokers(ctx)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, b := range brokers {
		queues, err := s.stats(ctx, b.Addr, topic)
		if err != nil {
			return 0, err
		}
		for _, held := range queues {
			sum += held.Max - held.Min
		}
	}
	return sum, nil
}

func (s *side) stats(ctx context.Context, addr, topic string) (queues map[int]rocketmq.QueueRange, err error) {
	err = remoting.RetryRead(ctx, func() error {
		queues, err = s.client.TopicStats(ctx, addr, topic)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what %s holds of topic %s: %w", addr, topic, err)
	}
	return queues, nil
}

func (s *side) pull(ctx context.Context, addr string, q rocketmq.PullRequest) (read rocketmq.PullResult, err error) {
	err = remoting.RetryRead(ctx, func() error {
		read, err = s.client.Pull(ctx, addr, q)
		if err == nil && read.Next <= q.Offset {
			return fmt.Errorf("the answer leads from offset %d to %d", q.Offset, read.Next)
		}
		return err
	})
	if err != nil {
		return read, fmt.Errorf("read topic %s, queue %d at %d: %w", q.Topic, q.Queue, q.Offset, err)
	}
	return read, nil
}
