package metadata

import (
	"context"
	"strings"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

const (
	// sampleMessages is what one pull brings by a broker's default limits, so a sample costs one
	// pull per end of a queue.
	sampleMessages = 32
	// sampleQueues bounds the queues of a topic that are looked at: producers spread their messages
	// over all queues.
	sampleQueues = 4
	// SampleGroup is built into every broker, so that looking creates nothing.
	SampleGroup = "TOOLS_CONSUMER"
)

// Sample is what a few messages of a topic show.
type Sample struct {
	Kinds  map[plan.MessageType]bool
	Keyed  bool // producers choose queues by a key: order matters to them
	Empty  int  // messages without a body
	Looked int
	Extent Extent
	Noted  Noted
}

func newSample() Sample { return Sample{Kinds: map[plan.MessageType]bool{}, Noted: newNoted()} }

func (s *Sample) add(broker string, m remoting.Message) {
	s.Kinds[kindOf(m.Properties)] = true
	if _, keyed := remoting.PropertyValue(m.Properties, remoting.PropShardingKeyGo); keyed || s.Kinds[plan.TypeFIFO] {
		s.Keyed = true
	}
	s.Looked++
	if len(m.Body) == 0 {
		s.Empty++
	}
	s.Extent.add(m)
	s.Noted.add(broker, m)
}

// MessageType is the type that accepts every message seen; a topic without messages is NORMAL.
func (s *Sample) MessageType() plan.MessageType {
	switch len(s.Kinds) {
	case 0:
		return plan.TypeNormal
	case 1:
		for kind := range s.Kinds {
			return kind
		}
	}
	return plan.TypeMixed
}

// kindOf tells the type of one stored message by its properties, in the order in which 5.x proxies
// judge them.
func kindOf(raw []byte) plan.MessageType {
	sharded, delayed := false, false
	for _, p := range remoting.ParseProperties(raw) {
		switch {
		case p.Name == remoting.PropTranMsg && p.Value == "true":
			return plan.TypeTransaction
		case p.Name == remoting.PropDelay, strings.HasPrefix(p.Name, "TIMER_"), p.Name == propStartDeliver:
			delayed = true
		case p.Name == remoting.PropShardingKey:
			sharded = true
		}
	}
	switch {
	case delayed:
		return plan.TypeDelay
	case sharded:
		return plan.TypeFIFO
	}
	return plan.TypeNormal
}

// SampleTopic samples the first and the last messages of some queues; shortly, only the last ones
// of one queue, with one pull. Pulls stay inside the stored range: a pull outside makes the broker
// write an event message.
func SampleTopic(
	ctx context.Context, c *clusters.One,
	addr map[string]string,
	topic string,
	ranges map[lane.Queue]rocketmq.QueueRange,
	shortly bool,
) (Sample, error) {
	seen := newSample()
	looked, most := 0, sampleQueues
	if shortly {
		most = 1
	}
	for _, queue := range clusters.SortedQueues(ranges) {
		span := ranges[queue]
		if span.Max <= span.Min || looked == most {
			continue
		}
		looked++
		starts := []int64{span.Min}
		if last := span.Max - sampleMessages; last > span.Min && shortly {
			starts = []int64{last}
		} else if last > span.Min {
			starts = append(starts, last)
		}
		for _, start := range starts {
			got, err := c.Client().Pull(ctx, addr[queue.Broker], rocketmq.PullRequest{
				Group: SampleGroup, Topic: topic, Queue: queue.ID, Offset: start, Max: sampleMessages,
			})
			if err != nil {
				return seen, err
			}
			for _, m := range got.Messages {
				seen.add(queue.Broker, m)
			}
			got.Release()
		}
	}
	return seen, nil
}
