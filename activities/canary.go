package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/replicator/positions"
)

// Before the first home moves behind a gateway, the way back must work: what is written on the
// target must reach the source. Applications' topics are none to try that with. So lanes of both
// directions copy a topic of rocketshift's own too, with a queue for each broker of the source, and
// a message is sent through each of them, there and back.

// ProvedLanes says that messages went through the lanes there and back.
type ProvedLanes struct {
	Lanes   int           `json:"lanes"`
	Forward time.Duration `json:"forward"` // the longest that one took from source to target, stored to readable
	Reverse time.Duration `json:"reverse"`
	At      time.Time     `json:"at"`
}

// ProveLanes sends a message through a lane of each source broker, there and back, and waits until
// it is on the other side.
func (r *Replication) ProveLanes(ctx context.Context, q Request) (_ ProvedLanes, err error) {
	defer explained(&err)
	both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
	if err != nil {
		return ProvedLanes{}, err
	}
	var l clusters.Layout
	if err := poll(ctx, func() (err error) {
		if l, err = both.WholeLayout(ctx); err == nil && len(l.Canaries(both.Plan)) == 0 {
			topic := clusters.CanaryTopic(both.Plan)
			err = fault.NotReady("topic %s isn't on both sides: lanes make it when they start and may; else make "+
				"it yourself, with a queue for each source broker on either side", topic)
		}
		return err
	}); err != nil {
		return ProvedLanes{}, err
	}
	lanes, err := l.Lanes(clusters.CanaryTopic(both.Plan))
	if err != nil {
		return ProvedLanes{}, err
	}
	proved := ProvedLanes{Lanes: len(lanes)}
	positions := positions.New(both.Source.Cluster, both.Target.Cluster, clusters.LaneNames(both.Plan))
	for i, lane := range lanes {
		activity.RecordHeartbeat(ctx, i)
		there, err := measure.Cross(ctx, both.Source, positions, lane)
		if err != nil {
			return ProvedLanes{}, err
		}
		back, err := measure.Cross(ctx, both.Target, positions.Reversed(), lane.Back())
		if err != nil {
			return ProvedLanes{}, err
		}
		proved.Forward, proved.Reverse = max(proved.Forward, there), max(proved.Reverse, back)
	}
	proved.At = time.Now()
	return proved, nil
}
