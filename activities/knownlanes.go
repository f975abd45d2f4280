package activities

import (
	"context"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// LaneRequest names a topic of the lanes, and one queue of it where that is meant.
type LaneRequest struct {
	Request
	Topic string `json:"topic"`
	// of the queue that the lane reads; absent: the topic alone
	Broker string `json:"broker,omitempty"`
	Queue  int    `json:"queue,omitempty"`
	Side   string `json:"side,omitempty"` // target for a lane back to the source, which reads there
}

// KnowLane fails with RefusedType if no lane of the migration can read what the request names: then
// what a person says about it means nothing. It asks the brokers of that side, as lanes begin for
// topics that are made later, too.
func (r *Replication) KnowLane(ctx context.Context, q LaneRequest) (err error) {
	defer explained(&err)
	side := api.Source
	if q.Side == lane.SideTarget {
		side = api.Target
	}
	c, brokers, err := r.settings.clusters().At(ctx, q.Plan, side)
	if err != nil {
		return err
	}
	table, err := c.TopicTable(ctx, brokers, []string{q.Topic})
	if err != nil {
		return err
	}
	return q.check(q.Plan.WithDefaults(), side, brokers, table)
}

func (q LaneRequest) check(
	p plan.Plan, side api.Side, brokers []rocketmq.Broker, table clusters.TopicTable,
) error {
	if !clusters.OfLanes(p, q.Topic, brokers) {
		return fault.RefusedWord("topic %q is none of this migration's, so no lane copies it: see "+
			"rocketshift lanes %s for those that are",
			q.Topic, p.Name)
	}
	if len(table[q.Topic]) == 0 {
		return fault.RefusedWord("topic %q is on no broker of the %s: correct the name, or make the topic "+
			"first",
			q.Topic, side)
	}
	if q.Broker == "" {
		return nil
	}
	queues := table.Queues(q.Topic)
	if slices.Contains(queues, lane.Queue{Broker: q.Broker, ID: q.Queue}) {
		return nil
	}
	var has []string
	for _, queue := range queues {
		has = append(has, queue.String())
	}
	return fault.RefusedWord("topic %q has no queue %s/%d on the %s: name one of %s", q.Topic, q.Broker,
		q.Queue, side, strings.Join(has[:min(len(has), 16)], ", "))
}
