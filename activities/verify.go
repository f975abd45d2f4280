package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

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
	Topics Names `json:"topics"`
	// Own adds the retry and dead-letter topics of the plan's groups, as far as they have lanes.
	Own bool `json:"own,omitempty"`
	// Answers are what persons decided about faults: what they skip isn't missing.
	Answers []LaneAnswer `json:"answers,omitempty"`
	// Earlier are those before them, where they were too many.
	Earlier List[LaneAnswer] `json:"earlierAnswers,omitzero"`
}

// Verification sums lane reports. Clean means that nothing is missing, extra, altered or out of order.
type Verification struct {
	Lanes    int   `json:"lanes"`
	Compared int64 `json:"compared"`
	Natives  int64 `json:"natives"`
	Missing  int64 `json:"missing"`
	Skipped  int64 `json:"skipped,omitempty"` // given up by persons
	// Differences is the file on the worker that lists all of them as lines of JSON, if there are any.
	Differences string    `json:"differences,omitempty"`
	Extra       int64     `json:"extra"`
	Altered     int64     `json:"altered"`
	OutOfOrder  int64     `json:"outOfOrder"`
	Examples    []string  `json:"examples,omitempty"`
	Measured    time.Time `json:"measured"`
	// FromSlaves are the source's brokers without a master, of which a slave was compared: what their
	// masters had besides isn't known.
	FromSlaves []string `json:"fromSlaves,omitempty"`
	// LeftOut are the source's brokers that the plan leaves out: nothing is said of what they hold.
	LeftOut []string `json:"leftOut,omitempty"`
}

// union are the names of both lists, each once.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
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
	v.Differences = cmp.Or(o.Differences, v.Differences)
	v.Extra += o.Extra
	v.Altered += o.Altered
	v.OutOfOrder += o.OutOfOrder
	v.Examples = append(slices.Clone(v.Examples), o.Examples...)
	if len(v.Examples) > maxExamples {
		v.Examples = v.Examples[:maxExamples]
	}
	v.Measured = o.Measured
	v.FromSlaves = union(v.FromSlaves, o.FromSlaves)
	v.LeftOut = union(v.LeftOut, o.LeftOut)
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
	l, err := both.wholeLayout(ctx)
	if err != nil {
		return Verification{}, err
	}
	topics, err := resolve(ctx, v.settings, r.Topics)
	if err != nil {
		return Verification{}, err
	}
	lanes, err := l.allLanes(topics)
	if err != nil {
		return Verification{}, err
	}
	if r.Own {
		own, ready := l.ownLanes(both.plan)
		lanes, topics = append(lanes, own...), append(slices.Clone(topics), ready...)
	}
	answers, err := answersOf(ctx, v.settings, r.Earlier, r.Answers)
	if err != nil {
		return Verification{}, err
	}
	sizes, err := both.sizes(ctx, l, topics)
	if err != nil {
		return Verification{}, err
	}
	c.expect(sizes)
	file := &differencesFile{path: v.differences(ctx, r.Plan.Name)}
	c.tell = file.tell
	sum, err := c.compare(ctx, both, lanes, plain(answers))
	if errFile := file.close(); err == nil {
		err = errFile
	}
	if file.open != nil {
		sum.Differences = file.path
	}
	sum.FromSlaves, sum.LeftOut = readFrom(l.sourceBrokers), r.Plan.Source.LeftOut
	return sum, err
}

// differences is where this run of Verify writes what differs: one file for all of its activities and their attempts.
func (v *Verifier) differences(ctx context.Context, name string) string {
	return filepath.Join(v.settings.Reports, fmt.Sprintf("%s-differences-%.8s.jsonl", name, activity.GetInfo(ctx).WorkflowExecution.RunID))
}

// differencesFile gets each difference as a line of JSON. It is made with the first one. An attempt that goes on after another may
// write some once more.
type differencesFile struct {
	path   string
	mu     sync.Mutex
	open   *os.File
	write  func(replicator.Difference)
	failed func() error
	err    error
}

func (f *differencesFile) tell(d replicator.Difference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil && f.err == nil {
		if f.err = os.MkdirAll(filepath.Dir(f.path), 0o755); f.err == nil {
			f.open, f.err = os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		}
		if f.err == nil {
			f.write, f.failed = replicator.WriteDifferences(f.open)
		}
	}
	if f.err == nil {
		f.write(d)
	}
}

func (f *differencesFile) close() error {
	if f.open == nil {
		return f.err
	}
	return errors.Join(f.failed(), f.open.Close())
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
