package consumers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// FenceMargin is how old the proof that a group is nobody's on the target may be when Sync writes
// its position. A move therefore waits at least this long between closing a group on the source and
// writing its final positions.
const FenceMargin = time.Second

// Move is one position to write: where, and which.
type Move struct {
	topic  string
	queue  lane.Queue
	offset int64
	exact  bool
}

func (m Move) String() string { return fmt.Sprintf("%s %s/%d", m.topic, m.queue.Broker, m.queue.ID) }

// Mover translates the positions of groups from one side to the other, as both sides are at one
// moment.
type Mover struct {
	clusters.Both
	clusters.Layout
	from   api.Side
	have   map[api.Side]map[string]clusters.Committed // committed offsets by side and group
	ranges map[string]map[lane.Queue]rocketmq.QueueRange

	reading *sync.Mutex // of have, while several lanes are looked at
}

// NewMover reads how both sides are now, for positions that go from one side to the other.
func NewMover(ctx context.Context, s clusters.Both, from api.Side) (*Mover, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	m := &Mover{
		Both: s, Layout: l, from: from, have: map[api.Side]map[string]clusters.Committed{},
		ranges: map[string]map[lane.Queue]rocketmq.QueueRange{}, reading: &sync.Mutex{},
	}
	for _, side := range []api.Side{api.Source, api.Target} {
		brokers, _ := l.Of(side)
		if m.have[side], err = s.At(side).Positions(ctx, brokers); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// topicsOf are the selected topics that the group reads: it has a position there, or is subscribed
// to them now. Its retry topic is one.
func (m *Mover) topicsOf(group string, now ...clusters.Connections) []string {
	var topics []string
	for _, topic := range m.SourceTopics.Selected(m.Plan, m.SourceBrokers) {
		reads := len(m.have[api.Source][group][topic]) > 0 || len(m.have[api.Target][group][topic]) > 0
		for _, o := range now {
			reads = reads || o.Topics[topic]
		}
		if reads {
			topics = append(topics, topic)
		}
	}
	if retry := rocketmq.RetryTopic(group); len(m.SourceTopics[retry]) > 0 {
		topics = append(topics, retry)
	}
	return topics
}

// moves translates every position of the group in the topics, several at a time, as applications
// stand still meanwhile. A source queue without a position gets the one of its first message: an
// absent position would let consumers skip to the end. On the way back such a queue was never read,
// and stays. A lane that isn't copied far enough is left out, and the first such is returned as
// NotReady.
func (m *Mover) moves(ctx context.Context, group string, topics []string) ([]Move, error) {
	for _, topic := range topics {
		// a member that has just connected made it, and the lanes don't know of it yet
		if _, own := clusters.GroupOf(topic); own {
			if err := metadata.EnsureGroupTopic(ctx, m.Both, m.Layout, topic); err != nil {
				return nil, err
			}
		}
	}
	if m.Target.Proxy() != "" { // nobody makes a group's own topic there
		topics = slices.DeleteFunc(topics,
			func(topic string) bool {
				_, own := clusters.GroupOf(topic)
				return own && len(m.TargetTopics[topic]) == 0
			})
	}
	lanes, err := m.AllLanes(topics)
	if err != nil {
		return nil, err
	}
	if err := m.readRanges(ctx, group, lanes); err != nil {
		return nil, err
	}
	found := make([]*Move, len(lanes))
	behind := make([]error, len(lanes))
	err = clusters.Each(ctx, clusters.Indexes(lanes), func(ctx context.Context, i int) error {
		at, known := m.position(group, lanes[i])
		if !known {
			return nil
		}
		to, err := m.translate(ctx, lanes[i], at)
		if fault.IsNotReady(err) {
			behind[i] = err
			return nil
		}
		found[i] = &Move{lanes[i].Topic, clusters.QueueOf(lanes[i], m.from.Other()), to.Target, to.Exact}
		if err != nil {
			return err
		}
		return m.readThere(ctx, group, lanes[i].Topic, lanes[i].Target)
	})
	if err != nil {
		return nil, err
	}
	var all []Move
	for _, mv := range found {
		if mv != nil {
			all = append(all, *mv)
		}
	}
	return all, cmp.Or(behind...)
}

// readRanges finds the first messages of source queues without a position.
func (m *Mover) readRanges(ctx context.Context, group string, lanes []lane.Lane) error {
	for _, lane := range lanes {
		_, known := m.have[m.from][group][lane.Topic][clusters.QueueOf(lane, m.from)]
		if known || m.from == api.Target || m.ranges[lane.Topic] != nil {
			continue
		}
		found, err := m.Source.Ranges(ctx, m.SourceBrokers, m.SourceTopics, lane.Topic)
		if err != nil {
			return err
		}
		m.ranges[lane.Topic] = found
	}
	return nil
}

// position is where the group stands in the lane on the side that it reads.
func (m *Mover) position(group string, lane lane.Lane) (int64, bool) {
	at, known := m.have[m.from][group][lane.Topic][clusters.QueueOf(lane, m.from)]
	if known || m.from == api.Target {
		return at, known
	}
	first, known := m.ranges[lane.Topic][lane.Source]
	return first.Min, known
}

// translate takes a position to the other side. Where lanes go both ways, each message that was
// read has its twin there, and a position that is exact repeats none of them.
func (m *Mover) translate(ctx context.Context, lane lane.Lane, at int64) (to positions.Translation, err error) {
	switch {
	case m.from == api.Target && m.Plan.Replicate.OneWay:
		to, err = m.Translator.Back(ctx, lane, at)
	case m.from == api.Target:
		to, err = m.Translator.Reversed().Across(ctx, lane.Back(), at)
	case m.Plan.Replicate.OneWay:
		to, err = m.Translator.Forward(ctx, lane, at)
	default:
		to, err = m.Translator.Across(ctx, lane, at)
	}
	if errors.Is(err, positions.ErrNotCopiedYet) {
		from := clusters.QueueOf(lane, m.from)
		return to, fault.NotReady("topic %s: the lane from the %s's %s/%d isn't copied up to position %d: %v",
			lane.Topic, m.from, from.Broker, from.ID, at, err)
	}
	return to, m.Explain(ctx, err)
}

// pending are the moves that would change something.
func (m *Mover) pending(group string, moves []Move) []Move {
	var changes []Move
	for _, mv := range moves {
		if now, known := m.have[m.from.Other()][group][mv.topic][mv.queue]; !known || now != mv.offset {
			changes = append(changes, mv)
		}
	}
	return changes
}

// writePosition stores one position and reads it back: brokers acknowledge positions that they
// don't take.
func writePosition(ctx context.Context, c *clusters.One, addr map[string]string, group string, m Move) error {
	at := addr[m.queue.Broker]
	if err := c.Client().UpdateOffset(ctx, at, group, m.topic, m.queue.ID, m.offset); err != nil {
		return c.Explain(ctx, err)
	}
	got, known, err := c.Client().QueryOffset(ctx, at, group, m.topic, m.queue.ID)
	if err != nil {
		return c.Explain(ctx, err)
	}
	if !known || got != m.offset {
		return fault.NotTaken(
			"group %s, %s on the %s: position %d was acknowledged and reads back as %d: is a member "+
				"committing, or an offset reset pending?",
			group,
			m,
			c.Side,
			m.offset,
			got,
		)
	}
	return nil
}

// readThere reads one position of a group on the target, as a proxy doesn't list them.
func (m *Mover) readThere(ctx context.Context, group, topic string, q lane.Queue) error {
	if m.Target.Proxy() == "" || m.from != api.Source {
		return nil
	}
	broker, err := m.Target.Broker(ctx, q.Broker)
	if err != nil {
		return m.Target.Explain(ctx, err)
	}
	at, known, err := m.Target.Client().QueryOffset(ctx, broker.Addr, group, topic, q.ID)
	if err != nil || !known {
		return m.Target.Explain(ctx, err)
	}
	m.reading.Lock()
	defer m.reading.Unlock()
	all := m.have[api.Target]
	if all[group] == nil {
		all[group] = clusters.Committed{}
	}
	if all[group][topic] == nil {
		all[group][topic] = map[lane.Queue]int64{}
	}
	all[group][topic][q] = at
	return nil
}
