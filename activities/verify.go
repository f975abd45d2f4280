package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

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
}

// Verification sums lane reports. Clean means that nothing is missing, extra, altered or out of order.
type Verification struct {
	Lanes      int       `json:"lanes"`
	Compared   int64     `json:"compared"`
	Natives    int64     `json:"natives"`
	Missing    int64     `json:"missing"`
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
		Lanes: 1, Compared: r.Compared, Natives: r.Natives, Missing: r.Missing, Extra: r.Extra,
		Altered: r.Altered, OutOfOrder: r.OutOfOrder, Examples: r.Examples,
	}
}

// Verifier compares lanes.
type Verifier struct{ settings Settings }

// NewVerifier returns the activities of Verify.
func NewVerifier(s Settings) *Verifier { return &Verifier{s.withDefaults()} }

// comparison is what Verify carries from attempt to attempt: the lanes that are done, and their sum.
type comparison struct {
	Done map[string]bool `json:"done"`
	Sum  Verification    `json:"sum"`
	// Now is how many messages the lanes under comparison have been through: people see that it moves.
	Now map[string]int64 `json:"now,omitempty"`

	mu sync.Mutex
}

// Verify compares every lane of the topics by content over the copied range.
func (v *Verifier) Verify(ctx context.Context, r VerifyRequest) (Verification, error) {
	c := &comparison{}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, c); err != nil {
			c = &comparison{}
		}
	}
	if c.Done == nil {
		c.Done = map[string]bool{}
	}
	c.Now = map[string]int64{}
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
	return c.compare(ctx, both, lanes)
}

func (c *comparison) compare(ctx context.Context, s sides, lanes []replicator.Lane) (Verification, error) {
	group, comparing := errgroup.WithContext(ctx)
	group.SetLimit(verifyTogether)
	for _, lane := range lanes {
		if c.has(lane) {
			continue
		}
		group.Go(func() error {
			report, err := replicator.VerifyLane(comparing, s.source.Cluster, s.target.Cluster, lane, replicator.VerifyOptions{Names: laneNames(s.plan)}, c.progress(lane))
			if err != nil {
				return err
			}
			c.done(lane, report)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Verification{}, s.target.explain(ctx, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Sum.Measured = time.Now().UTC()
	return c.Sum, nil
}

func (c *comparison) has(lane replicator.Lane) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Done[laneName(lane)]
}

func (c *comparison) done(lane replicator.Lane, r replicator.LaneReport) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Done[laneName(lane)] = true
	delete(c.Now, laneName(lane))
	c.Sum = c.Sum.Plus(ofLane(r))
}

func laneName(lane replicator.Lane) string {
	return fmt.Sprintf("%s %s/%d", lane.Topic, lane.Source.Broker, lane.Source.ID)
}

// progress notes how far a lane is.
func (c *comparison) progress(lane replicator.Lane) func(int64) {
	return func(compared int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.Now[laneName(lane)] = compared
	}
}

// snapshot is a copy to beat with.
func (c *comparison) snapshot() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &comparison{Done: maps.Clone(c.Done), Sum: c.Sum, Now: maps.Clone(c.Now)}
}
