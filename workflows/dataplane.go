package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// Replicate keeps the forward lanes running, `replicate.shards` activities for each source broker, until its parent or a person signals stop.
func Replicate(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, ReplicateType, in)
	if err != nil {
		return Status{}, err
	}
	d.status.Answers, d.status.Rates = in.Answers, in.Rates // of the run before
	if err := d.handleLanes(ctx); err != nil {
		return Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		inventory, err := d.inventory(ctx, in)
		if err != nil {
			return err
		}
		var acts *activities.Replication
		return d.serveAgain(ctx, func(ctx workflow.Context) []workflow.Future {
			d.detail(ctx, "%d source brokers, %d topics", len(inventory.SourceBrokers), len(inventory.Topics))
			var running []workflow.Future
			parts := max(d.plan.Replicate.Shards, 1)
			for _, broker := range inventory.SourceBrokers {
				for part := range parts {
					request := activities.ReplicateRequest{
						Request: d.request(), Broker: broker, Part: part, Parts: parts,
						Answers: d.status.Answers, Rates: d.status.Rates, Shards: parts * len(inventory.SourceBrokers),
					}
					running = append(running, workflow.ExecuteActivity(long(ctx, d.plan, lanesOf(broker, part, parts)), acts.Replicate, request))
				}
			}
			return running
		})
	})
}

// lanesOf is how people see a shard in the Web UI.
func lanesOf(broker string, part, parts int) string {
	if parts == 1 {
		return "lanes of " + broker
	}
	return fmt.Sprintf("lanes of %s, part %d of %d", broker, part+1, parts)
}

// SyncOffsets keeps the positions of all groups that still read the source translated on the target, until stop.
func SyncOffsets(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, SyncOffsetsType, in)
	if err != nil {
		return Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		var acts *activities.Offsets
		d.detail(ctx, "every %s", d.plan.Replicate.SyncInterval)
		return d.serve(ctx, func(ctx workflow.Context) []workflow.Future {
			return []workflow.Future{workflow.ExecuteActivity(syncing(ctx, d.plan, "positions of all groups"), acts.Sync, d.request())}
		})
	})
}

// serveAgain serves until stop or back, and begins again each time when something was decided that the activities must know.
func (d *desk) serveAgain(ctx workflow.Context, start func(workflow.Context) []workflow.Future) error {
	for {
		d.again = false
		if err := d.serve(ctx, start); err != nil || !d.again || d.stopped || d.back != nil {
			return err
		}
	}
}

// serve runs long activities until stop or back, then cancels them and waits for their checkpoints. One that ends by itself
// has failed for good: the rest is stopped and its error is the workflow's.
func (d *desk) serve(ctx workflow.Context, start func(workflow.Context) []workflow.Future) error {
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
	if err := d.await(ctx, "runs until stop", func() bool { return d.stopped || d.back != nil || d.again || ended() }); err != nil && !temporal.IsCanceledError(err) {
		return err
	}
	asked := !ended()
	cancel()
	disconnected, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	var failed error
	for _, f := range running {
		if err := failure(f.Get(disconnected, nil), asked); err != nil {
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
func Verify(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, VerifyType, in)
	if err != nil {
		return Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		return d.step(ctx, func(ctx workflow.Context) error {
			inventory, err := d.inventory(ctx, in)
			if err != nil {
				return err
			}
			return d.verify(ctx, inventory, in.Answers)
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

func (d *desk) verify(ctx workflow.Context, inventory activities.Assessment, answers []activities.LaneAnswer) error {
	var acts *activities.Verifier
	sum := activities.Verification{}
	d.status.Verification = &sum
	var names []string
	for _, t := range inventory.Topics {
		names = append(names, t.Name)
	}
	for own := true; len(names) > 0; names = names[min(chunk, len(names)):] {
		part := names[:min(chunk, len(names))]
		var v activities.Verification
		request := activities.VerifyRequest{Request: d.request(), Topics: part, Own: own, Answers: answers}
		own = false
		summary := fmt.Sprintf("compare %d topics", len(part))
		if err := workflow.ExecuteActivity(comparing(ctx, d.plan, summary), acts.Verify, request).Get(ctx, &v); err != nil {
			return err
		}
		sum = sum.Plus(v)
		d.detail(ctx, "compared %d messages of %d lanes: %d missing, %d extra, %d altered, %d out of order%s",
			sum.Compared, sum.Lanes, sum.Missing, sum.Extra, sum.Altered, sum.OutOfOrder, givenUp(sum.Skipped))
	}
	if sum.Clean() {
		return nil
	}
	text := fmt.Sprintf("the copy differs: %d missing, %d extra, %d altered, %d out of order; first: %v; nothing was moved: "+
		"find the cause, then resume to compare again, or go back", sum.Missing, sum.Extra, sum.Altered, sum.OutOfOrder, sum.Examples)
	if sum.Differences != "" {
		text += "; all of them are in " + sum.Differences + " on the worker"
	}
	return temporal.NewNonRetryableApplicationError(text, "VerifyFailed", nil)
}
