package lanes

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// Replicate keeps the forward lanes running, `replicate.shards` activities for each source broker,
// until its parent or a person signals stop.
func Replicate(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.ReplicateType, in)
	if err != nil {
		return api.Status{}, err
	}
	// of the run before
	run.Status.Answers, run.Status.EarlierAnswers = in.Answers, in.EarlierAnswers
	run.Status.Rates, run.Status.Copied = in.Rates, in.Copied
	r := &replication{supervisor: supervisor{Run: run}}
	r.start, r.ended = r.startShards, r.countShard
	if err := r.handleLanes(ctx); err != nil {
		return api.Status{}, err
	}
	return run.Execute(ctx, func(ctx workflow.Context) (err error) {
		r.inventory, err = run.Inventory(ctx, in)
		if err != nil {
			return err
		}
		if err := r.serve(ctx); err != nil || !r.again || r.isOver() {
			return err
		}
		return r.inNewRun(ctx)
	})
}

// replication runs the lanes, and takes what persons decide about them.
type replication struct {
	supervisor
	inventory api.Inventory
	shards    []api.Copied // of those that run, in their order
}

// countShard takes what a shard told when it ended.
func (r *replication) countShard(i int, end error) { countCopied(&r.Status, r.shards[i], end) }

// startShards starts the activities that run the lanes. Each gets what persons decided about its
// lanes.
func (r *replication) startShards(ctx workflow.Context) (running []workflow.Future) {
	r.keepAnswers(ctx)
	r.shards = nil
	var acts *activities.Replication
	brokers, parts := r.inventory.SourceBrokers(), max(r.Plan.Replicate.Shards, 1)
	r.Detail(ctx, "%d source brokers, %d topics", len(brokers), r.inventory.Topics().Len())
	rates := slices.Clone(r.Status.Rates)
	for i, c := range rates {
		rates[i] = api.RateChange{Rate: c.Rate, Topic: c.Topic}
	}
	for _, broker := range brokers {
		answers := api.AnswersOfLanes(r.Status.Answers, broker)
		for part := range parts {
			r.shards = append(r.shards, copiedBy(&r.Status, broker, part))
			request := activities.ReplicateRequest{
				Request: r.Request(), Broker: broker, Part: part, Parts: parts,
				Answers: answers, Earlier: r.Status.EarlierAnswers, Rates: rates,
				Shards: parts * len(brokers), Copied: r.shards[len(r.shards)-1],
			}
			running = append(running, workflow.ExecuteActivity(
				call.Lanes(ctx, r.Plan, lanesOf(broker, part, parts)), acts.Replicate, request))
		}
	}
	return running
}

// lanesOf is how people see a shard in the Web UI.
func lanesOf(broker string, part, parts int) string {
	if parts == 1 {
		return "lanes of " + broker
	}
	return fmt.Sprintf("lanes of %s, part %d of %d", broker, part+1, parts)
}

// SyncOffsets keeps the positions of all groups that still read the source translated on the
// target, until stop.
func SyncOffsets(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.SyncOffsetsType, in)
	if err != nil {
		return api.Status{}, err
	}
	s := &supervisor{Run: run, ended: func(int, error) {}}
	s.start = func(ctx workflow.Context) []workflow.Future {
		var acts *activities.Offsets
		return []workflow.Future{
			workflow.ExecuteActivity(call.Syncing(ctx, run.Plan, "positions of all groups"), acts.Sync, run.Request()),
		}
	}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		run.Detail(ctx, "every %s", run.Plan.Replicate.SyncInterval)
		return s.serve(ctx)
	})
}
