package activities

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
)

const (
	// closeLag and closeShare say when a lane has caught up: what is left is copied within a second
	// or so.
	closeLag   = 100
	closeShare = 0.01
	// drainedTwice is the pause between the two readings that show that nothing more comes into a
	// drained lane.
	drainedTwice = 500 * time.Millisecond
)

// ReplicationState is how far all lanes of the plan are, measured on the brokers (lane group's
// offsets), not in the replicator.
type ReplicationState struct {
	Lanes    int       `json:"lanes"`
	Lag      int64     `json:"lag"`
	Worst    string    `json:"worst,omitempty"` // the lane with the most lag
	Measured time.Time `json:"measured"`
}

// laneState is one lane, measured: copied is the lane's progress, min and max bound what the source
// queue holds.
type laneState struct {
	lane             lane.Lane
	min, copied, max int64
	// messages behind the lane's progress that the reverse lane has copied there: nothing that it
	// would copy
	back int64
}

func (s laneState) lag() int64 { return max(0, s.max-s.copied-s.back) }

// caughtUp reports whether little is left in comparison to what the queue holds.
func (s laneState) caughtUp() bool {
	return s.lag() < closeLag || float64(s.lag()) < closeShare*float64(s.max-s.min)
}

func (s laneState) String() string {
	return fmt.Sprintf("%s %s/%d: copied to %d of %d", s.lane.Topic, s.lane.Source.Broker, s.lane.Source.ID,
		s.copied, s.max)
}

// State measures how far all lanes are, on the brokers.
func (r *Replication) State(ctx context.Context, q Request) (_ ReplicationState, err error) {
	defer explained(&err)
	both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
	if err != nil {
		return ReplicationState{}, err
	}
	l, err := both.WholeLayout(ctx)
	if err != nil {
		return ReplicationState{}, err
	}
	states, err := measureLanes(ctx, both, l, l.SourceTopics.Selected(both.Plan, l.SourceBrokers))
	return summary(states), err
}

// AwaitCaughtUp waits until every lane is close to its end.
func (r *Replication) AwaitCaughtUp(ctx context.Context, q Request) (_ ReplicationState, err error) {
	defer explained(&err)
	var state ReplicationState
	err = waiting{}.until(ctx, func() error {
		both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
		if err != nil {
			return err
		}
		l, err := both.WholeLayout(ctx)
		if err != nil {
			return err
		}
		states, err := measureLanes(ctx, both, l, l.SourceTopics.Selected(both.Plan, l.SourceBrokers))
		if err != nil {
			return err
		}
		state = summary(states)
		behind := 0
		for _, s := range states {
			if !s.caughtUp() {
				behind++
			}
		}
		if behind > 0 {
			return fault.NotReady("%d of %d lanes are behind by %d messages, most of all %s", behind, state.Lanes,
				state.Lag, state.Worst)
		}
		return nil
	})
	return state, err
}

// AwaitDrained waits until the lanes of the topics have copied everything and nothing more comes.
func (r *Replication) AwaitDrained(ctx context.Context, q TopicsRequest) (_ ReplicationState, err error) {
	defer explained(&err)
	var state ReplicationState
	err = waiting{}.until(ctx, func() error {
		both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
		if err != nil {
			return err
		}
		topics, err := lists.Resolve(ctx, r.settings.Store, q.Topics)
		if err != nil {
			return err
		}
		first, err := drainedLanes(ctx, both, topics)
		if err != nil {
			return err
		}
		if err := sleep.For(ctx, drainedTwice); err != nil {
			return err
		}
		second, err := drainedLanes(ctx, both, topics)
		if err != nil {
			return err
		}
		for i, lane := range second {
			own, err := writtenSince(ctx, both, lane.lane, first[i].max, lane.max)
			if err != nil {
				return err
			}
			if own > 0 {
				return fault.NotReady("producers still write: %s got %d messages within %s", lane, own, drainedTwice)
			}
		}
		state = summary(second)
		return nil
	})
	return state, err
}

// drainedLanes reads the lanes' states, which must show no lag.
func drainedLanes(ctx context.Context, s clusters.Both, topics []string) ([]laneState, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	states, err := measureLanes(ctx, s, l, topics)
	if err != nil {
		return nil, err
	}
	if state := summary(states); state.Lag > 0 {
		return nil, fault.NotReady("%d messages of %d lanes aren't copied yet, most of all %s", state.Lag,
			state.Lanes, state.Worst)
	}
	return states, nil
}

// measureLanes reads how far the topics' lanes are.
func measureLanes(ctx context.Context, s clusters.Both, l clusters.Layout, topics []string) ([]laneState, error) {
	lanes, err := l.AllLanes(topics)
	if err != nil {
		return nil, err
	}
	mins := map[string]map[lane.Queue]int64{}
	for _, topic := range topics {
		ranges, err := s.Source.Ranges(ctx, l.SourceBrokers, l.SourceTopics, topic)
		if err != nil {
			return nil, err
		}
		mins[topic] = map[lane.Queue]int64{}
		for queue, span := range ranges {
			mins[topic][queue] = span.Min
		}
	}
	states := make([]laneState, len(lanes))
	err = clusters.Each(ctx, clusters.Indexes(lanes), func(ctx context.Context, i int) error {
		copied, end, err := s.Translator.Progress(ctx, lanes[i])
		if err != nil {
			return err
		}
		back, err := copiedBack(ctx, s, lanes[i], copied, end)
		states[i] = laneState{
			lane:   lanes[i],
			min:    mins[lanes[i].Topic][lanes[i].Source],
			copied: copied,
			max:    end,
			back:   back,
		}
		return err
	})
	return states, s.Explain(ctx, err)
}

// nearEnd is how few messages are looked at one by one; more are lag, whatever they are.
const nearEnd = 5000

// writtenSince counts what applications wrote on a lane's source queue between two looks at its
// end. What the reverse lane copied there meanwhile is no sign of a producer.
func writtenSince(ctx context.Context, s clusters.Both, lane lane.Lane, was, end int64) (int64, error) {
	if end <= was || s.Plan.Replicate.OneWay {
		return end - was, nil
	}
	own, err := s.Translator.Reversed().NativesFrom(ctx, lane.Back(), was)
	return own, s.Explain(ctx, err)
}

// copiedBack counts what the reverse lane has copied to the source behind the lane's progress.
func copiedBack(ctx context.Context, s clusters.Both, lane lane.Lane, copied, end int64) (int64, error) {
	if s.Plan.Replicate.OneWay || end <= copied || end-copied > nearEnd {
		return 0, nil
	}
	own, err := s.Translator.Reversed().NativesFrom(ctx, lane.Back(), copied)
	return max(0, end-copied-own), err
}

func summary(states []laneState) ReplicationState {
	r := ReplicationState{Lanes: len(states), Measured: time.Now().UTC()}
	worst := int64(0)
	for _, s := range states {
		r.Lag += s.lag()
		if s.lag() > worst {
			worst, r.Worst = s.lag(), s.String()
		}
	}
	return r
}
