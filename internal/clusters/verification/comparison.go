package verification

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

// Comparison is what Verify carries from attempt to attempt: the lanes that are done, their sum,
// and how far the others are.
type Comparison struct {
	Progress api.VerifyProgress           `json:"progress"`
	Done     laneSet                      `json:"done"`
	Sum      api.Verification             `json:"sum"`
	Now      map[string]verify.Checkpoint `json:"now,omitempty"`

	Tell  func(verify.Difference) `json:"-"`
	mu    sync.Mutex
	sizes map[string]int64 // messages on the source by lane
	pace  pace
}

// Expect says how many messages the source holds of each lane.
func (c *Comparison) Expect(sizes map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sizes = sizes
}

// Compare compares the lanes that aren't done, and returns the sum of all.
func (c *Comparison) Compare(
	ctx context.Context,
	s clusters.Both,
	lanes []lane.Lane,
	answers []lane.Answer,
) (api.Verification, error) {
	group, comparing := errgroup.WithContext(ctx)
	group.SetLimit(verifyTogether)
	for _, lane := range lanes {
		if c.has(lane) {
			continue
		}
		group.Go(func() error {
			o := verify.Options{
				Names:       clusters.LaneNames(s.Plan),
				Resume:      c.resume(lane),
				Answers:     answers,
				Differences: c.Tell,
			}
			report, err := verify.Lane(comparing, s.Source.Cluster, s.Target.Cluster, lane, o, c.progress(lane))
			if err != nil {
				return err
			}
			c.done(lane, report)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return api.Verification{}, s.Explain(ctx, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Sum.Measured = time.Now().UTC()
	return c.Sum, nil
}

func (c *Comparison) has(lane lane.Lane) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Done.has(laneName(lane))
}

// resume is where the attempt before was in a lane, or nil.
func (c *Comparison) resume(lane lane.Lane) *verify.Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, begun := c.Now[laneName(lane)]; begun {
		return &at
	}
	return nil
}

func (c *Comparison) done(lane lane.Lane, r verify.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Done.add(laneName(lane))
	delete(c.Now, laneName(lane))
	c.Sum = c.Sum.Plus(ofLane(r))
}

func laneName(lane lane.Lane) string {
	return fmt.Sprintf("%s %s/%d", lane.Topic, lane.Source.Broker, lane.Source.ID)
}

// progress notes how far a lane is.
func (c *Comparison) progress(lane lane.Lane) func(verify.Checkpoint) {
	name := laneName(lane)
	return func(at verify.Checkpoint) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.Now[name] = at
	}
}

// Snapshot is a copy to beat with.
func (c *Comparison) Snapshot() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sizes != nil { // else it is only known what the attempt before saw
		c.Progress = c.measure(time.Now())
	}
	return &Comparison{Progress: c.Progress, Done: maps.Clone(c.Done), Sum: c.Sum, Now: maps.Clone(c.Now)}
}

func (c *Comparison) measure(now time.Time) api.VerifyProgress {
	var p api.VerifyProgress
	for name, size := range c.sizes {
		p.Messages += size
		if at, begun := c.Now[name]; begun {
			p.Read += min(at.Read-at.Report.From, size)
		} else if c.Done.has(name) {
			p.Read += size
		}
	}
	rate := c.pace.at(now, p.Read)
	p.PerSecond = int64(rate)
	if rate > 0 {
		p.Left = time.Duration(float64(p.Messages-p.Read) / rate * float64(time.Second)).Round(time.Second).String()
	}
	return p
}

// paceOver is how far back a pace looks: long enough not to jump, short enough to follow a change.
const paceOver = 10 * time.Second

// pace is how fast a count grows.
type pace struct{ seen []sighting }

type sighting struct {
	when  time.Time
	count int64
}

// at notes a count and returns its growth per second in the last seconds; 0 if that isn't known
// yet.
func (p *pace) at(now time.Time, count int64) float64 {
	p.seen = append(p.seen, sighting{now, count})
	for len(p.seen) > 2 && now.Sub(p.seen[0].when) > paceOver {
		p.seen = p.seen[1:]
	}
	first := p.seen[0]
	passed := now.Sub(first.when).Seconds()
	if passed <= 0 {
		return 0
	}
	return max(0, float64(count-first.count)/passed)
}

// verifyTogether bounds the lanes compared at the same time: each reads both sides at full
// speed.
const verifyTogether = 4

// ofLane counts one lane.
func ofLane(r verify.Report) api.Verification {
	return api.Verification{
		Lanes: 1, Compared: r.Compared, Natives: r.Natives, Missing: r.Missing, Skipped: r.Skipped, Extra: r.Extra,
		Altered: r.Altered, OutOfOrder: r.OutOfOrder, Examples: r.Examples,
	}
}

// Sizes are how many messages the source holds of the topics' lanes.
func Sizes(ctx context.Context, s clusters.Both, l clusters.Layout, topics []string) (map[string]int64, error) {
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

// Resumed is where the attempt before was, as read tells; nil if there was none.
func Resumed(read func(into any) error) *Comparison {
	c := &Comparison{}
	if read != nil && read(c) != nil {
		c = &Comparison{}
	}
	if c.Done == nil {
		c.Done = laneSet{}
	}
	if c.Now == nil {
		c.Now = map[string]verify.Checkpoint{}
	}
	return c
}
