package measure

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
)

const (
	// CloseLag and closeShare say when a lane has caught up: what is left is copied within a second
	// or so.
	CloseLag   = 100
	closeShare = 0.01
	// drainedTwice is the pause between the two readings that show that nothing more comes into a
	// drained lane.
	drainedTwice = 500 * time.Millisecond
)

// Summary is how far all lanes of the plan are, measured on the brokers (lane group's
// offsets), not in the replicator.
type Summary struct {
	Lanes    int       `json:"lanes"`
	Lag      int64     `json:"lag"`
	Worst    string    `json:"worst,omitempty"` // the lane with the most lag
	Measured time.Time `json:"measured"`
}

// Lane is one lane, measured: copied is the lane's progress, min and max bound what the source
// queue holds.
type Lane struct {
	Lane             lane.Lane
	min, copied, Max int64
	// messages behind the lane's progress that the reverse lane has copied there: nothing that it
	// would copy
	back int64
}

func (s Lane) lag() int64 { return max(0, s.Max-s.copied-s.back) }

// caughtUp reports whether little is left in comparison to what the queue holds.
func (s Lane) caughtUp() bool {
	return s.lag() < CloseLag || float64(s.lag()) < closeShare*float64(s.Max-s.min)
}

func (s Lane) String() string {
	return fmt.Sprintf("%s %s/%d: copied to %d of %d", s.Lane.Topic, s.Lane.Source.Broker, s.Lane.Source.ID,
		s.copied, s.Max)
}

// CaughtUp fails while lanes of the plan are far from their ends.
func CaughtUp(ctx context.Context, both clusters.Both, l clusters.Layout) (Summary, error) {
	states, err := Lanes(ctx, both, l, l.SourceTopics.Selected(both.Plan, l.SourceBrokers))
	if err != nil {
		return Summary{}, err
	}
	state, behind := Sum(states), 0
	for _, s := range states {
		if !s.caughtUp() {
			behind++
		}
	}
	if behind > 0 {
		return state, fault.NotReady("%d of %d lanes are behind by %d messages, most of all %s", behind, state.Lanes,
			state.Lag, state.Worst)
	}
	return state, nil
}

// Drained fails while lanes of the topics have something to copy, or something comes.
func Drained(ctx context.Context, both clusters.Both, topics []string) (r Summary, err error) {
	first, err := drainedLanes(ctx, both, topics)
	if err != nil {
		return r, err
	}
	if err := sleep.For(ctx, drainedTwice); err != nil {
		return r, err
	}
	second, err := drainedLanes(ctx, both, topics)
	if err != nil {
		return r, err
	}
	for i, lane := range second {
		own, err := WrittenSince(ctx, both, lane.Lane, first[i].Max, lane.Max)
		if err != nil {
			return r, err
		}
		if own > 0 {
			return r, fault.NotReady("producers still write: %s got %d messages within %s", lane, own, drainedTwice)
		}
	}
	return Sum(second), nil
}

// drainedLanes reads the lanes' states, which must show no lag.
func drainedLanes(ctx context.Context, s clusters.Both, topics []string) ([]Lane, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	states, err := Lanes(ctx, s, l, topics)
	if err != nil {
		return nil, err
	}
	if state := Sum(states); state.Lag > 0 {
		return nil, fault.NotReady("%d messages of %d lanes aren't copied yet, most of all %s", state.Lag,
			state.Lanes, state.Worst)
	}
	return states, nil
}

// Lanes reads how far the topics' lanes are.
func Lanes(ctx context.Context, s clusters.Both, l clusters.Layout, topics []string) ([]Lane, error) {
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
	states := make([]Lane, len(lanes))
	err = clusters.Each(ctx, clusters.Indexes(lanes), func(ctx context.Context, i int) error {
		copied, end, err := s.Translator.Progress(ctx, lanes[i])
		if err != nil {
			return err
		}
		back, err := copiedBack(ctx, s, lanes[i], copied, end)
		states[i] = Lane{
			Lane:   lanes[i],
			min:    mins[lanes[i].Topic][lanes[i].Source],
			copied: copied,
			Max:    end,
			back:   back,
		}
		return err
	})
	return states, s.Explain(ctx, err)
}

// nearEnd is how few messages are looked at one by one; more are lag, whatever they are.
const nearEnd = 5000

// WrittenSince counts what applications wrote on a lane's source queue between two looks at its
// end. What the reverse lane copied there meanwhile is no sign of a producer.
func WrittenSince(ctx context.Context, s clusters.Both, lane lane.Lane, was, end int64) (int64, error) {
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

// Sum adds lanes up, and names the one with the most lag.
func Sum(states []Lane) Summary {
	r := Summary{Lanes: len(states), Measured: time.Now().UTC()}
	worst := int64(0)
	for _, s := range states {
		r.Lag += s.lag()
		if s.lag() > worst {
			worst, r.Worst = s.lag(), s.String()
		}
	}
	return r
}
