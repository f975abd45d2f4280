package activities

import (
	"context"

	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
)

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
		topics, err := lists.Resolve(ctx, r.settings.Store, q.Topics)
		if err != nil {
			return err
		}
		state, err = measure.Drained(ctx, both, topics)
		return err
	})
	return state, err
}
