package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// Answers of persons stand for as long as the migration: what was given up mustn't count as
// missing. They are kept, in their order, as those before them, in a document, and those since.

// KeepAnswersRequest asks to keep answers with those before them.
type KeepAnswersRequest struct {
	Request
	Earlier api.List[api.LaneAnswer] `json:"earlier,omitzero"`
	Answers []api.LaneAnswer         `json:"answers"`
}

// KeepAnswers writes answers into a document, after those before them.
func (r *Replication) KeepAnswers(
	ctx context.Context, q KeepAnswersRequest,
) (_ api.List[api.LaneAnswer], err error) {
	defer explained(&err)
	all, gone, err := r.settings.answers(ctx, q.Earlier, nil)
	if err != nil {
		return api.List[api.LaneAnswer]{}, err
	}
	if gone != "" {
		activity.GetLogger(ctx).Warn(gone)
	}
	all = slices.Clone(all)
	for _, a := range q.Answers {
		all = api.StandingAnswers(all, a)
	}
	return lists.Stored(ctx, r.settings.lists(q.Request), "answers to faults of lanes", all, lists.RowsRoom)
}

// steered are the lanes' options with what persons decided so far.
func (q ReplicateRequest) steered(o replicator.Options) replicator.Options {
	o.Answers = plain(q.Answers)
	return o
}

// plain leaves out who answered, when and why.
func plain(answers []api.LaneAnswer) (all []lane.Answer) {
	for _, a := range answers {
		all = append(all, a.Answer)
	}
	return all
}

// setRates gives the lanes of one source broker their share of the rates.
func (q ReplicateRequest) setRates(r *replicator.Replicator) {
	shards := float64(max(q.Shards, 1))
	for _, c := range q.Rates {
		r.SetRate(c.Topic, lane.Rate{Messages: c.Messages / shards, Bytes: c.Bytes / shards})
	}
}

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

// LaneRequest names a topic of the lanes, and one queue of it where that is meant.
type LaneRequest struct {
	Request
	Topic string `json:"topic"`
	// of the queue that the lane reads; absent: the topic alone
	Broker string    `json:"broker,omitempty"`
	Queue  int       `json:"queue,omitempty"`
	Side   lane.Side `json:"side,omitempty"` // target for a lane back to the source, which reads there
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

// State measures how far all lanes are, on the brokers.
func (r *Replication) State(ctx context.Context, q Request) (_ measure.Summary, err error) {
	defer explained(&err)
	both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
	if err != nil {
		return measure.Summary{}, err
	}
	l, err := both.WholeLayout(ctx)
	if err != nil {
		return measure.Summary{}, err
	}
	states, err := measure.Lanes(ctx, both, l, l.SourceTopics.Selected(both.Plan, l.SourceBrokers))
	return measure.Sum(states), err
}

// AwaitCaughtUp waits until every lane is close to its end.
func (r *Replication) AwaitCaughtUp(ctx context.Context, q Request) (_ measure.Summary, err error) {
	defer explained(&err)
	var state measure.Summary
	err = waiting{}.until(ctx, func() error {
		both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
		if err != nil {
			return err
		}
		l, err := both.WholeLayout(ctx)
		if err != nil {
			return err
		}
		state, err = measure.CaughtUp(ctx, both, l)
		return err
	})
	return state, err
}

// AwaitDrained waits until the lanes of the topics have copied everything and nothing more comes.
func (r *Replication) AwaitDrained(ctx context.Context, q TopicsRequest) (_ measure.Summary, err error) {
	defer explained(&err)
	var state measure.Summary
	err = waiting{}.until(ctx, func() error {
		both, err := r.settings.clusters().Both(ctx, q.Plan.WithDefaults())
		if err != nil {
			return err
		}
		topics, err := r.settings.names(ctx, q.Request, q.Topics)
		if err != nil {
			return err
		}
		state, err = measure.Drained(ctx, both, topics)
		return err
	})
	return state, err
}
