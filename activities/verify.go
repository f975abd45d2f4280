package activities

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/verification"
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

// Verifier compares lanes.
type Verifier struct{ settings Settings }

// NewVerifier returns the activities of Verify.
func NewVerifier(s Settings) *Verifier { return &Verifier{s.withDefaults()} }

// Verify compares every lane of the topics by content over the copied range.
func (v *Verifier) Verify(ctx context.Context, r VerifyRequest) (_ api.Verification, err error) {
	defer explained(&err)
	var before func(into any) error
	if activity.HasHeartbeatDetails(ctx) {
		before = func(into any) error { return activity.GetHeartbeatDetails(ctx, into) }
	}
	c := verification.Resumed(before)
	stop := beating(ctx, c.Snapshot)
	defer stop()
	both, err := v.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return api.Verification{}, err
	}
	l, err := both.WholeLayout(ctx)
	if err != nil {
		return api.Verification{}, err
	}
	topics, err := v.settings.names(ctx, r.Request, r.Topics)
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
	answers, gone, err := v.settings.answers(ctx, r.Earlier, r.Answers)
	if err != nil {
		return api.Verification{}, err
	}
	sizes, err := verification.Sizes(ctx, both, l, topics)
	if err != nil {
		return api.Verification{}, err
	}
	c.Expect(sizes)
	file := &verification.File{Path: v.differences(ctx, r.Plan.Name)}
	c.Tell = file.Tell
	sum, err := c.Compare(ctx, both, lanes, plain(answers))
	if errFile := file.Close(); err == nil {
		err = errFile
	}
	if file.Open != nil {
		sum.Differences = file.Path
	}
	if gone != "" {
		sum.Lost = []string{gone}
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
