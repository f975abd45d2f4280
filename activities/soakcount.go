package activities

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/gateway"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// traffic is what applications wrote to the queues of a migration.
type traffic struct {
	topics, queues, away int   // away: queues whose home is the target
	source, target       int64 // messages by side
	moved                int64 // messages of queues whose home is the target, on either side
	misplaced            int64 // messages on another side than the home of their queue
	lag                  int64
}

// add takes what was written to one queue.
func (t *traffic) add(seen positions.Traffic, away bool) {
	t.source += seen.OnSource
	t.target += seen.OnTarget
	t.lag += seen.Lag
	if away {
		t.moved += seen.OnSource + seen.OnTarget
		t.misplaced += seen.OnSource
	} else {
		t.misplaced += seen.OnTarget
	}
}

// judge compares what was measured with what the step asks for.
func (t *traffic) judge(step int, since time.Time) api.WaveCheck {
	c := api.WaveCheck{
		SourcePuts: t.source, TargetPuts: t.target, Moved: t.moved, Misplaced: t.misplaced,
		Lag: t.lag, Since: since, Measured: time.Now().UTC(),
	}
	all := t.source + t.target
	if all > 0 {
		c.Share, c.Want = percent(t.target, all), percent(t.moved, all)
	}
	switch want := percentOf(t.queues, step); {
	case t.away != want:
		c.Doubt = fmt.Sprintf("%d of %d queues have their home on the target, and %d %% of them are %d",
			t.away, t.queues, step, want)
	case t.moved == 0:
		c.Doubt = fmt.Sprintf("no message was written to the %d queues (of %d) whose home is the "+
			"target, so nothing shows that they work",
			t.away, t.queues)
	case percent(t.misplaced, all) > shareTolerance:
		c.Doubt = fmt.Sprintf("%.1f %% of %d messages were written on the target, and the homes of "+
			"their queues ask for %.1f %%: "+
			"%d were written on the other side than their queue's home; rocketshift lanes names who "+
			"writes past the gateways",
			c.Share, all, c.Want, t.misplaced)
	}
	return c
}

// percent is part of all, with one decimal.
func percent(part, all int64) float64 { return float64(part*1000/all) / 10 }

// countTraffic counts what was written since the soak began, and tells how far it is. Queues that
// end where they did then aren't looked at.
func countTraffic(
	ctx context.Context, s clusters.Both, names []string, begun soak, away []gateway.TopicQueue,
	tell func(SoakProgress),
) (traffic, error) {
	now, err := allEnds(ctx, s, names)
	if err != nil {
		return traffic{}, err
	}
	onTarget := map[gateway.TopicQueue]bool{}
	for _, q := range away {
		onTarget[q] = true
	}
	isAway := func(lane lane.Lane) bool {
		return onTarget[gateway.TopicQueue{Topic: lane.Topic, Queue: lane.Source}]
	}
	sum, topics := traffic{queues: len(now)}, map[string]bool{}
	var busy []lane.Lane
	for lane, ends := range now {
		topics[lane.Topic] = true
		if isAway(lane) {
			sum.away++
		}
		if before, known := begun.ends[lane]; known && before != ends {
			busy = append(busy, lane)
		}
	}
	sum.topics = len(topics)
	var mu sync.Mutex
	counted := 0
	err = clusters.Each(ctx, busy, func(ctx context.Context, lane lane.Lane) error {
		from := begun.ends[lane]
		seen, err := s.Translator.Traffic(ctx, lane, from.source, from.target)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		sum.add(seen, isAway(lane))
		if counted++; counted%tellEvery == 0 {
			tell(SoakProgress{Counted: counted, Of: len(busy)})
		}
		return nil
	})
	return sum, s.Explain(ctx, err)
}

// tellEvery is after how many queues a count tells how far it is: some tenths of a second.
const tellEvery = 200

// SoakProgress is the heartbeat of JudgeSoak.
type SoakProgress struct {
	Counted int `json:"counted"` // queues
	Of      int `json:"of"`      // queues that were written to
}

// allEnds reads where all queues of the topics end, on both sides.
func allEnds(
	ctx context.Context, s clusters.Both, topics []string,
) (map[lane.Lane]laneEnds, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	all := map[lane.Lane]laneEnds{}
	var mu sync.Mutex
	err = clusters.Each(ctx, topics, func(ctx context.Context, topic string) error {
		ends, err := topicEnds(ctx, s, l, topic)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(all, ends)
		return nil
	})
	return all, err
}

// topicEnds reads the ends of a topic's queues: of all queues on a broker at once, but of each one
// behind a proxy, which doesn't tell more.
func topicEnds(
	ctx context.Context, s clusters.Both, l clusters.Layout, topic string,
) (map[lane.Lane]laneEnds, error) {
	lanes, err := l.Lanes(topic)
	if err != nil {
		return nil, err
	}
	all := map[lane.Lane]laneEnds{}
	if s.Target.Proxy() != "" {
		for _, lane := range lanes {
			source, target, err := s.Translator.Ends(ctx, lane)
			if err != nil {
				return nil, s.Explain(ctx, err)
			}
			all[lane] = laneEnds{source, target}
		}
		return all, nil
	}
	onSource, err := s.Source.Ranges(ctx, l.SourceBrokers, l.SourceTopics, topic)
	if err != nil {
		return nil, err
	}
	onTarget, err := s.Target.Ranges(ctx, l.TargetBrokers, l.TargetTopics, topic)
	if err != nil {
		return nil, err
	}
	for _, lane := range lanes {
		all[lane] = laneEnds{onSource[lane.Source].Max, onTarget[lane.Target].Max}
	}
	return all, nil
}
