package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/documents/lists"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

const (
	// verifyTogether bounds the lanes compared at the same time: each reads both sides at full
	// speed.
	verifyTogether = 4
)

// VerifyRequest compares the lanes of some topics.
type VerifyRequest struct {
	Request
	Topics api.Names `json:"topics"`
	// Own adds the retry and dead-letter topics of the plan's groups, as far as they have lanes.
	Own bool `json:"own,omitempty"`
	// Answers are what persons decided about faults: what they skip isn't missing.
	Answers []api.LaneAnswer `json:"answers,omitempty"`
	// Earlier are those before them, where they were too many.
	Earlier api.List[api.LaneAnswer] `json:"earlierAnswers,omitzero"`
}

// ofLane counts one lane.
func ofLane(r verify.Report) api.Verification {
	return api.Verification{
		Lanes: 1, Compared: r.Compared, Natives: r.Natives, Missing: r.Missing, Skipped: r.Skipped, Extra: r.Extra,
		Altered: r.Altered, OutOfOrder: r.OutOfOrder, Examples: r.Examples,
	}
}

// Verifier compares lanes.
type Verifier struct{ settings Settings }

// NewVerifier returns the activities of Verify.
func NewVerifier(s Settings) *Verifier { return &Verifier{s.withDefaults()} }

// Verify compares every lane of the topics by content over the copied range.
func (v *Verifier) Verify(ctx context.Context, r VerifyRequest) (_ api.Verification, err error) {
	defer explained(&err)
	c := resumedComparison(ctx)
	stop := beating(ctx, c.snapshot)
	defer stop()
	both, err := v.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return api.Verification{}, err
	}
	l, err := both.WholeLayout(ctx)
	if err != nil {
		return api.Verification{}, err
	}
	topics, err := lists.Resolve(ctx, v.settings.Store, r.Topics)
	if err != nil {
		return api.Verification{}, err
	}
	lanes, err := l.AllLanes(topics)
	if err != nil {
		return api.Verification{}, err
	}
	if r.Own {
		own, ready := l.OwnLanes(both.Plan)
		lanes, topics = append(lanes, own...), append(slices.Clone(topics), ready...)
	}
	answers, err := lists.AnswersOf(ctx, v.settings.Store, r.Earlier, r.Answers)
	if err != nil {
		return api.Verification{}, err
	}
	sizes, err := laneSizes(ctx, both, l, topics)
	if err != nil {
		return api.Verification{}, err
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
	sum.FromSlaves, sum.LeftOut = clusters.ReadFrom(l.SourceBrokers), r.Plan.Source.LeftOut
	return sum, err
}

// differences is where this run of Verify writes what differs: one file for all of its activities
// and their attempts.
func (v *Verifier) differences(ctx context.Context, name string) string {
	return filepath.Join(v.settings.Reports,
		fmt.Sprintf("%s-differences-%.8s.jsonl", name, activity.GetInfo(ctx).WorkflowExecution.RunID))
}

// differencesFile gets each difference as a line of JSON. It is made with the first one. An attempt
// that goes on after another may write some once more.
type differencesFile struct {
	path   string
	mu     sync.Mutex
	open   *os.File
	write  func(verify.Difference)
	failed func() error
	err    error
}

func (f *differencesFile) tell(d verify.Difference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil && f.err == nil {
		if f.err = os.MkdirAll(filepath.Dir(f.path), 0o755); f.err == nil {
			f.open, f.err = os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		}
		if f.err == nil {
			f.write, f.failed = verify.WriteDifferences(f.open)
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

// laneSizes are how many messages the source holds of the topics' lanes.
func laneSizes(ctx context.Context, s clusters.Both, l clusters.Layout, topics []string) (map[string]int64, error) {
	var mu sync.Mutex
	all := map[string]int64{}
	err := clusters.Each(ctx, topics, func(ctx context.Context, topic string) error {
		ranges, err := s.Source.Ranges(ctx, l.SourceBrokers, l.SourceTopics, topic)
		mu.Lock()
		defer mu.Unlock()
		for queue, span := range ranges {
			all[laneName(lane.Lane{Topic: topic, Source: queue})] = span.Max - span.Min
		}
		return err
	})
	return all, err
}
