package measure

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/gateway/control"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// shareTolerance is by how many percent of all messages what went to the target may differ from
// what the homes ask for: delayed messages and ends of transactions that were sent before a
// move surface afterwards where they were sent.
const shareTolerance = 1.0

// Soak is where all queues ended when messages began to be counted. It stays in the worker: of
// 10,000 queues it is too large for a history.
type Soak struct {
	Since time.Time
	Ends  map[lane.Lane]Ends
}

// Ends are the offsets at which the queues of a lane end.
type Ends struct{ source, target int64 }

// BeginSoak notes where all queues of the topics end.
func BeginSoak(ctx context.Context, s clusters.Both, topics []string) (Soak, error) {
	begun := Soak{Since: time.Now().UTC()} // before the look: a message in between is counted
	ends, err := EndsOf(ctx, s, topics)
	begun.Ends = ends
	return begun, err
}

// Traffic is what applications wrote to the queues of a migration.
type Traffic struct {
	Topics, Queues, Away int   // Away: queues whose home is the target
	Source, Target       int64 // messages by side
	Moved                int64 // messages of queues whose home is the target, on either side
	Misplaced            int64 // messages on another side than the home of their queue
	Lag                  int64
}

// add takes what was written to one queue.
func (t *Traffic) add(seen positions.Traffic, away bool) {
	t.Source += seen.OnSource
	t.Target += seen.OnTarget
	t.Lag += seen.Lag
	if away {
		t.Moved += seen.OnSource + seen.OnTarget
		t.Misplaced += seen.OnSource
	} else {
		t.Misplaced += seen.OnTarget
	}
}

// Judge compares what was measured with what the step asks for.
func (t *Traffic) Judge(step int, since time.Time) api.WaveCheck {
	c := api.WaveCheck{
		SourcePuts: t.Source, TargetPuts: t.Target, Moved: t.Moved, Misplaced: t.Misplaced,
		Lag: t.Lag, Since: since, Measured: time.Now().UTC(),
	}
	all := t.Source + t.Target
	if all > 0 {
		c.Share, c.Want = percent(t.Target, all), percent(t.Moved, all)
	}
	switch want := fleet.PercentOf(t.Queues, step); {
	case t.Away != want:
		c.Doubt = fmt.Sprintf("%d of %d queues have their home on the target, and %d %% of them are %d",
			t.Away, t.Queues, step, want)
	case t.Moved == 0:
		c.Doubt = fmt.Sprintf("no message was written to the %d queues (of %d) whose home is the "+
			"target, so nothing shows that they work",
			t.Away, t.Queues)
	case percent(t.Misplaced, all) > shareTolerance:
		c.Doubt = fmt.Sprintf("%.1f %% of %d messages were written on the target, and the homes of "+
			"their queues ask for %.1f %%: "+
			"%d were written on the other side than their queue's home; rocketshift lanes names who "+
			"writes past the gateways",
			c.Share, all, c.Want, t.Misplaced)
	}
	return c
}

// percent is part of all, with one decimal.
func percent(part, all int64) float64 { return float64(part*1000/all) / 10 }

// CountTraffic counts what was written since the soak began, and tells how far it is. Queues that
// end where they did then aren't looked at.
func CountTraffic(
	ctx context.Context, s clusters.Both, names []string, begun Soak, away []control.TopicQueue,
	tell func(SoakProgress),
) (Traffic, error) {
	now, err := EndsOf(ctx, s, names)
	if err != nil {
		return Traffic{}, err
	}
	onTarget := map[control.TopicQueue]bool{}
	for _, q := range away {
		onTarget[q] = true
	}
	isAway := func(lane lane.Lane) bool {
		return onTarget[control.TopicQueue{Topic: lane.Topic, Queue: lane.Source}]
	}
	sum, topics := Traffic{Queues: len(now)}, map[string]bool{}
	var busy []lane.Lane
	for lane, ends := range now {
		topics[lane.Topic] = true
		if isAway(lane) {
			sum.Away++
		}
		if before, known := begun.Ends[lane]; known && before != ends {
			busy = append(busy, lane)
		}
	}
	sum.Topics = len(topics)
	var mu sync.Mutex
	counted := 0
	err = clusters.Each(ctx, busy, func(ctx context.Context, lane lane.Lane) error {
		from := begun.Ends[lane]
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

// EndsOf reads where all queues of the topics end, on both sides.
func EndsOf(
	ctx context.Context, s clusters.Both, topics []string,
) (map[lane.Lane]Ends, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	all := map[lane.Lane]Ends{}
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
) (map[lane.Lane]Ends, error) {
	lanes, err := l.Lanes(topic)
	if err != nil {
		return nil, err
	}
	all := map[lane.Lane]Ends{}
	if s.Target.Proxy() != "" {
		for _, lane := range lanes {
			source, target, err := s.Translator.Ends(ctx, lane)
			if err != nil {
				return nil, s.Explain(ctx, err)
			}
			all[lane] = Ends{source, target}
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
		all[lane] = Ends{onSource[lane.Source].Max, onTarget[lane.Target].Max}
	}
	return all, nil
}
