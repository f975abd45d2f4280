package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// LaneRequest names a topic of the lanes, and one queue of it where that is meant.
type LaneRequest struct {
	Request
	Topic string `json:"topic"`
	// of the queue that the lane reads; absent: the topic alone
	Broker string   `json:"broker,omitempty"`
	Queue  int      `json:"queue,omitempty"`
	Side   api.Side `json:"side,omitempty"` // target for a lane back to the source, which reads there
}

// KnowLane fails with RefusedType if no lane of the migration can read what the request names: then
// what a person says about it means nothing. It asks the brokers of that side, as lanes begin for
// topics that are made later, too.
func (r *Replication) KnowLane(ctx context.Context, q LaneRequest) error {
	side := api.Source
	if q.Side == api.Target {
		side = api.Target
	}
	c, brokers, err := r.settings.at(ctx, q.Request, side)
	if err != nil {
		return err
	}
	table, err := c.topicTable(ctx, brokers, []string{q.Topic})
	if err != nil {
		return err
	}
	return q.check(q.Plan.WithDefaults(), side, brokers, table)
}

// refusedWord is refused for what a person said: it is no trouble of the worker's, so that its log
// shows no error.
func refusedWord(format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf(format, args...), RefusedType,
		temporal.ApplicationErrorOptions{
			NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign,
		})
}

func (q LaneRequest) check(
	p plan.Plan, side api.Side, brokers []rocketmq.Broker, table topicTable,
) error {
	if !ofLanes(p, q.Topic, brokers) {
		return refusedWord("topic %q is none of this migration's, so no lane copies it: see "+
			"rocketshift lanes %s for those that are",
			q.Topic, p.Name)
	}
	if len(table[q.Topic]) == 0 {
		return refusedWord("topic %q is on no broker of the %s: correct the name, or make the topic "+
			"first",
			q.Topic, side)
	}
	if q.Broker == "" {
		return nil
	}
	queues := table.queues(q.Topic)
	if slices.Contains(queues, lane.Queue{Broker: q.Broker, ID: q.Queue}) {
		return nil
	}
	var has []string
	for _, queue := range queues {
		has = append(has, queue.String())
	}
	return refusedWord("topic %q has no queue %s/%d on the %s: name one of %s", q.Topic, q.Broker,
		q.Queue, side, strings.Join(has[:min(len(has), 16)], ", "))
}

// ofLanes reports whether lanes of the plan copy topics of that name.
func ofLanes(p plan.Plan, topic string, brokers []rocketmq.Broker) bool {
	if group, own := groupOf(topic); own {
		return !systemGroup(group) && p.Groups.Match(group)
	}
	return topic == canaryTopic(p) || !systemTopic(topic, brokers) && p.Topics.Match(topic)
}
