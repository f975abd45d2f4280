package activities

import (
	"context"
	"slices"
	"sync"
	"time"

	"rocketshift/replicator"
)

const (
	// verifyTogether bounds the lanes compared at the same time: each reads both sides at full speed.
	verifyTogether = 4
	// maxExamples is how many differences a verification names: enough to find the cause, few enough to read.
	maxExamples = 10
)

// VerifyRequest compares the lanes of some topics.
type VerifyRequest struct {
	Request
	Topics []string `json:"topics"`
	// Answers are what persons decided about faults: what they skip isn't missing.
	Answers []LaneAnswer `json:"answers,omitempty"`
}

// Verification sums lane reports. Clean means that nothing is missing, extra, altered or out of order.
type Verification struct {
	Lanes      int       `json:"lanes"`
	Compared   int64     `json:"compared"`
	Natives    int64     `json:"natives"`
	Missing    int64     `json:"missing"`
	Skipped    int64     `json:"skipped,omitempty"` // given up by persons
	Extra      int64     `json:"extra"`
	Altered    int64     `json:"altered"`
	OutOfOrder int64     `json:"outOfOrder"`
	Examples   []string  `json:"examples,omitempty"`
	Measured   time.Time `json:"measured"`
}

// Clean reports whether the comparison found no difference and compared every lane.
func (v Verification) Clean() bool {
	return v.Missing == 0 && v.Extra == 0 && v.Altered == 0 && v.OutOfOrder == 0
}

// Plus adds the counts of two parts of one verification; the later measurement's time stands.
func (v Verification) Plus(o Verification) Verification {
	v.Lanes += o.Lanes
	v.Compared += o.Compared
	v.Natives += o.Natives
	v.Missing += o.Missing
	v.Skipped += o.Skipped
	v.Extra += o.Extra
	v.Altered += o.Altered
	v.OutOfOrder += o.OutOfOrder
	v.Examples = append(slices.Clone(v.Examples), o.Examples...)
	if len(v.Examples) > maxExamples {
		v.Examples = v.Examples[:maxExamples]
	}
	v.Measured = o.Measured
	return v
}

// ofLane counts one lane.
func ofLane(r replicator.LaneReport) Verification {
	return Verification{
		Lanes: 1, Compared: r.Compared, Natives: r.Natives, Missing: r.Missing, Skipped: r.Skipped, Extra: r.Extra,
		Altered: r.Altered, OutOfOrder: r.OutOfOrder, Examples: r.Examples,
	}
}

// Verifier compares lanes.
type Verifier struct{ settings Settings }

// NewVerifier returns the activities of Verify.
func NewVerifier(s Settings) *Verifier { return &Verifier{s.withDefaults()} }

// Verify compares every lane of the topics by content over the copied range.
func (v *Verifier) Verify(ctx context.Context, r VerifyRequest) (Verification, error) {
	c := resumedComparison(ctx)
	stop := beating(ctx, c.snapshot)
	defer stop()
	both, err := v.settings.both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return Verification{}, err
	}
	l, err := both.layout(ctx)
	if err != nil {
		return Verification{}, err
	}
	lanes, err := l.allLanes(r.Topics)
	if err != nil {
		return Verification{}, err
	}
	sizes, err := both.sizes(ctx, l, r.Topics)
	if err != nil {
		return Verification{}, err
	}
	c.expect(sizes)
	return c.compare(ctx, both, lanes, plain(r.Answers))
}

// sizes are how many messages the source holds of the topics' lanes.
func (s sides) sizes(ctx context.Context, l layout, topics []string) (map[string]int64, error) {
	var mu sync.Mutex
	all := map[string]int64{}
	err := each(ctx, topics, func(ctx context.Context, topic string) error {
		ranges, err := s.source.ranges(ctx, l.sourceBrokers, l.sourceTopics, topic)
		mu.Lock()
		defer mu.Unlock()
		for queue, span := range ranges {
			all[laneName(replicator.Lane{Topic: topic, Source: queue})] = span.Max - span.Min
		}
		return err
	})
	return all, err
}
