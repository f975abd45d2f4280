package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// Before the first home moves behind a gateway, the way back must work: what is written on the
// target must reach the source. Applications' topics are none to try that with. So lanes of both
// directions copy a topic of rocketshift's own too, with a queue for each broker of the source, and
// a message is sent through each of them, there and back.

// ensureCanary makes the topic. Who may not make topics relies on a person to have done it:
// ProveLanes says so if not.
func ensureCanary(ctx context.Context, s clusters.Both) error {
	if s.Plan.Traffic.Mode != plan.ModeGateway {
		return nil
	}
	l, err := s.Layout(ctx)
	if err != nil {
		return err
	}
	topic := clusters.CanaryTopic(s.Plan)
	make := func(c *clusters.One, b rocketmq.Broker, queues int) error {
		err := c.Client().
			CreateTopic(ctx, b.Addr, rocketmq.TopicConfig{Name: topic, ReadQueues: queues, WriteQueues: queues, Perm: 6})
		if err != nil && !remoting.Denied(err) {
			return c.Explain(ctx, err)
		}
		return nil
	}
	for _, b := range l.SourceBrokers {
		if _, there := l.SourceTopics[topic][b.Name]; !there && !b.Slave {
			if err := make(s.Source, b, 1); err != nil {
				return err
			}
		}
	}
	// there ImportMetadata waits for it
	if len(l.TargetTopics[topic]) > 0 || len(l.TargetBrokers) == 0 || s.Target.Proxy() != "" {
		return nil
	}
	return make(s.Target, l.TargetBrokers[0], len(l.SourceBrokers))
}

// ProvedLanes says that messages went through the lanes there and back.
type ProvedLanes struct {
	Lanes   int           `json:"lanes"`
	Forward time.Duration `json:"forward"` // the longest that one took from source to target, stored to readable
	Reverse time.Duration `json:"reverse"`
	At      time.Time     `json:"at"`
}

const (
	canaryPause = 20 * time.Millisecond // between two looks for a message on the other side
	canaryTime  = 20 * time.Second      // then people see which lane it is that doesn't bring it, and it is tried again
)

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
		there, err := crosses(ctx, both.Source, positions, lane)
		if err != nil {
			return ProvedLanes{}, err
		}
		back, err := crosses(ctx, both.Target, positions.Reversed(), lane.Back())
		if err != nil {
			return ProvedLanes{}, err
		}
		proved.Forward, proved.Reverse = max(proved.Forward, there), max(proved.Reverse, back)
	}
	proved.At = time.Now()
	return proved, nil
}

// crosses sends a message into a lane, and says how long it took to be on the other side.
func crosses(
	ctx context.Context,
	from *clusters.One,
	positions *positions.Positions,
	lane lane.Lane,
) (time.Duration, error) {
	broker, err := from.Broker(ctx, lane.Source.Broker)
	if err != nil {
		return 0, from.Explain(ctx, err)
	}
	waiting, cancel := context.WithTimeout(ctx, canaryTime)
	defer cancel()
	begin := time.Now()
	sent, err := from.Client().SendMessage(ctx, broker.Addr, rocketmq.SendRequest{
		Group: strings.TrimSuffix(clusters.CanaryPrefix, "-"), Topic: lane.Topic, Queue: lane.Source.ID,
		BornTimestamp: begin.UnixMilli(),
		Body:          fmt.Appendf(nil, "canary of %s", begin.Format(time.RFC3339Nano)),
	})
	if err != nil {
		return 0, from.Explain(ctx, err)
	}
	for {
		if _, err = positions.Across(ctx, lane, sent.Offset+1); err == nil {
			return time.Since(begin), nil
		}
		if sleep.For(waiting, canaryPause) != nil {
			return 0, fault.NotReady(
				"a message that was sent to %s of topic %s on the %s hasn't reached the other side since %s: "+
					"%v; see rocketshift lanes",
				lane.Source,
				lane.Topic,
				from.Side,
				time.Since(begin).Round(time.Millisecond),
				err,
			)
		}
	}
}
