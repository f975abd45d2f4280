package measure

import (
	"context"
	"sort"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// NoteLeft notes on the brokers that the topics' producers have left a side, and that they write on
// the other one.
func NoteLeft(ctx context.Context, s clusters.Both, side api.Side, topics []string) error {
	l, err := s.Layout(ctx)
	if err != nil {
		return err
	}
	lanes, err := l.AllLanes(topics)
	if err != nil {
		return err
	}
	return clusters.Each(ctx, lanes, func(ctx context.Context, lane lane.Lane) error {
		there, back := s.Translator, s.Translator.Reversed()
		lane, other := lane, lane.Back()
		if side == api.Target {
			there, back, lane, other = back, there, other, lane
		}
		if err := noted(ctx, s, side, there.Leave(ctx, lane)); err != nil {
			return err
		}
		return noted(ctx, s, side.Other(), back.Enter(ctx, other))
	})
}

// noted lets a move go on where rocketshift may not write the note: stragglers are copied all the
// same, and nobody is told of them.
func noted(ctx context.Context, s clusters.Both, side api.Side, err error) error {
	if remoting.Denied(err) || remoting.CodeOf(err) == remoting.SubscriptionGroupGone { // the group couldn't be created
		return nil
	}
	return s.About(side, err).Explain(ctx, err)
}

// LeftSource is where producers left the lane's source queue. Who may not read the notes has
// written none.
func LeftSource(ctx context.Context, s clusters.Both, lane lane.Lane) (int64, bool, error) {
	at, left, err := s.Translator.Left(ctx, lane)
	return at, left, noted(ctx, s, api.Source, err)
}

// hasLeft reports whether producers of the topic have left the source.
func hasLeft(ctx context.Context, s clusters.Both, l clusters.Layout, topic string) (bool, error) {
	lanes, err := l.Lanes(topic)
	if err != nil {
		return false, err
	}
	for _, lane := range lanes {
		if _, left, err := LeftSource(ctx, s, lane); left || err != nil {
			return left, err
		}
	}
	return false, nil
}

// Natives counts what producers wrote on a side, by topic.
func Natives(
	ctx context.Context,
	s clusters.Both,
	l clusters.Layout,
	side api.Side,
	topics []string,
) (map[string]int64, error) {
	lanes, err := l.AllLanes(topics)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	var mu sync.Mutex
	err = clusters.Each(ctx, lanes, func(ctx context.Context, lane lane.Lane) error {
		found, err := nativesOf(ctx, s, lane, side)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		counts[lane.Topic] += found.Count
		return nil
	})
	return counts, s.Explain(ctx, err)
}

func nativesOf(ctx context.Context, s clusters.Both, lane lane.Lane, side api.Side) (positions.Natives, error) {
	if side == api.Source {
		return s.Translator.Reversed().Natives(ctx, lane.Back())
	}
	return s.Translator.Natives(ctx, lane)
}

// MovedTopics are the topics that producers have left on the source, or have written on the target
// unless only noted ones are asked for.
func MovedTopics(ctx context.Context, s clusters.Both, noted bool) ([]string, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	var there []string
	for _, topic := range l.SourceTopics.Selected(s.Plan, l.SourceBrokers) {
		if len(l.TargetTopics[topic]) > 0 { // before ImportMetadata there is none
			there = append(there, topic)
		}
	}
	counts := map[string]int64{}
	if !noted {
		if counts, err = Natives(ctx, s, l, api.Target, there); err != nil {
			return nil, err
		}
	}
	var moved []string
	for _, topic := range there {
		left := counts[topic] > 0
		if !left { // producers that moved and haven't written yet
			if left, err = hasLeft(ctx, s, l, topic); err != nil {
				return nil, err
			}
		}
		if left {
			moved = append(moved, topic)
		}
	}
	sort.Strings(moved)
	return moved, nil
}
