package workflows

import (
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
)

// Replicate keeps the forward lanes running, `replicate.shards` activities for each source broker,
// until its parent or a person signals stop.
func Replicate(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.ReplicateType, in)
	if err != nil {
		return api.Status{}, err
	}
	// of the run before
	d.status.Answers, d.status.EarlierAnswers = in.Answers, in.EarlierAnswers
	d.status.Rates, d.status.Copied = in.Rates, in.Copied
	if err := d.handleLanes(ctx); err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		inventory, err := d.inventory(ctx, in)
		if err != nil {
			return err
		}
		var shards []api.Copied // of those that run, in their order
		err = d.serveAgain(ctx, func(ctx workflow.Context) (running []workflow.Future) {
			d.keepAnswers(ctx)
			shards, running = d.startShards(ctx, inventory)
			return running
		}, func(i int, err error) { countCopied(&d.status, shards[i], err) })
		if err != nil || !d.again || d.stopped || d.back != nil {
			return err
		}
		return d.inNewRun(ctx, inventory)
	})
}

// startShards starts the activities that run the lanes. Each gets what persons decided about its
// lanes.
func (d *stageRun) startShards(
	ctx workflow.Context, inventory api.Inventory,
) (shards []api.Copied, running []workflow.Future) {
	var acts *activities.Replication
	brokers, parts := inventory.SourceBrokers(), max(d.plan.Replicate.Shards, 1)
	d.detail(ctx, "%d source brokers, %d topics", len(brokers), inventory.Topics().Len())
	rates := slices.Clone(d.status.Rates)
	for i, c := range rates {
		rates[i] = api.RateChange{Rate: c.Rate, Topic: c.Topic}
	}
	for _, broker := range brokers {
		answers := api.AnswersOfLanes(d.status.Answers, broker)
		for part := range parts {
			shards = append(shards, copiedBy(&d.status, broker, part))
			request := activities.ReplicateRequest{
				Request: d.request(), Broker: broker, Part: part, Parts: parts,
				Answers: answers, Earlier: d.status.EarlierAnswers, Rates: rates,
				Shards: parts * len(brokers), Copied: shards[len(shards)-1],
			}
			running = append(running, workflow.ExecuteActivity(
				call.Lanes(ctx, d.plan, lanesOf(broker, part, parts)), acts.Replicate, request))
		}
	}
	return shards, running
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
	d, err := newStageRun(ctx, api.SyncOffsetsType, in)
	if err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		var acts *activities.Offsets
		d.detail(ctx, "every %s", d.plan.Replicate.SyncInterval)
		return d.serve(ctx, func(ctx workflow.Context) []workflow.Future {
			return []workflow.Future{
				workflow.ExecuteActivity(call.Syncing(ctx, d.plan, "positions of all groups"), acts.Sync, d.request()),
			}
		}, func(int, error) {})
	})
}

// serveAgain serves until stop or back, and begins again each time when something was decided that
// the activities must know. It ends also when that is so and the history has become long.
func (d *stageRun) serveAgain(
	ctx workflow.Context, start func(workflow.Context) []workflow.Future, end func(int, error),
) error {
	for {
		d.again = false
		if err := d.serve(ctx, start, end); err != nil || !d.again || d.stopped || d.back != nil ||
			d.isLong(ctx) {
			return err
		}
	}
}

// serve runs long activities until stop or back, then cancels them and waits for their checkpoints.
// One that ends by itself has failed for good: the rest is stopped and its error is the workflow's.
// How each one ended is told to end.
func (d *stageRun) serve(
	ctx workflow.Context, start func(workflow.Context) []workflow.Future, end func(int, error),
) error {
	serving, cancel := workflow.WithCancel(ctx)
	defer cancel()
	running := start(serving)
	ended := func() bool {
		for _, f := range running {
			if f.IsReady() {
				return true
			}
		}
		return false
	}
	if err := d.await(ctx, "runs until stop", func() bool { return d.stopped || d.back != nil || d.again || ended() }); err != nil &&
		!temporal.IsCanceledError(err) {
		return err
	}
	asked := !ended()
	cancel()
	disconnected, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	var failed error
	for i, f := range running {
		err := f.Get(disconnected, nil)
		end(i, err)
		if err := failure(err, asked); err != nil {
			failed = err
		}
	}
	if failed == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if !d.again || failed != nil {
		d.detail(disconnected, "stopped")
	}
	return failed
}

// failure is the error that ends a service. After its activities were asked to end, a time-out is
// an end too: the worker that ran them is gone.
func failure(err error, asked bool) error {
	var late *temporal.TimeoutError
	if temporal.IsCanceledError(err) || asked && errors.As(err, &late) {
		return nil
	}
	return err
}

// Verify compares every lane by content over the range that is copied.
func Verify(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.VerifyType, in)
	if err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		return d.step(ctx, func(ctx workflow.Context) error {
			inventory, err := d.inventory(ctx, in)
			if err != nil {
				return err
			}
			return d.verify(ctx, inventory, in)
		})
	})
}

// givenUp says how many messages persons gave up, if any.
func givenUp(messages int64) string {
	if messages == 0 {
		return ""
	}
	return fmt.Sprintf(", %d skipped by persons", messages)
}

func (d *stageRun) verify(
	ctx workflow.Context, inventory api.Inventory, in api.MigrationInput,
) error {
	var acts *activities.Verifier
	sum := api.Verification{}
	d.status.Verification = &sum
	own := true
	for _, part := range inventory.Topics().Chunks(chunk) {
		var v api.Verification
		request := activities.VerifyRequest{
			Request: d.request(), Topics: part, Own: own, Answers: in.Answers,
			Earlier: in.EarlierAnswers,
		}
		own = false
		summary := fmt.Sprintf("compare %d topics", part.Len())
		if err := workflow.ExecuteActivity(call.Comparing(ctx, d.plan, summary), acts.Verify, request).Get(ctx, &v); err != nil {
			return err
		}
		sum = sum.Plus(v)
		d.detail(ctx, "compared %d messages of %d lanes: %d missing, %d extra, %d altered, %d out of order%s",
			sum.Compared, sum.Lanes, sum.Missing, sum.Extra, sum.Altered, sum.OutOfOrder, givenUp(sum.Skipped))
	}
	if sum.Clean() {
		return nil
	}
	text := fmt.Sprintf(
		"the copy differs: %d missing, %d extra, %d altered, %d out of order; first: %v; nothing was moved: "+
			"find the cause, then resume to compare again, or go back",
		sum.Missing,
		sum.Extra,
		sum.Altered,
		sum.OutOfOrder,
		sum.Examples,
	)
	if sum.Differences != "" {
		text += "; all of them are in " + sum.Differences + " on the worker"
	}
	return temporal.NewNonRetryableApplicationError(text, call.DiffersType, nil)
}
