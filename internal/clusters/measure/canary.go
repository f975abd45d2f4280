package measure

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// EnsureCanary makes the topic. Who may not make topics relies on a person to have done it:
// ProveLanes says so if not.
func EnsureCanary(ctx context.Context, s clusters.Both) error {
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

const (
	canaryPause = 20 * time.Millisecond // between two looks for a message on the other side
	canaryTime  = 20 * time.Second      // then people see which lane it is that doesn't bring it, and it is tried again
)

// Cross sends a message into a lane, and says how long it took to be on the other side.
func Cross(
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
