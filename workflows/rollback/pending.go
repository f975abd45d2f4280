package rollback

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/settle"
	"rocketshift/workflows/stage"
)

// awaitPending waits until the target has delivered what it held for later, retries among it, and
// the reverse lanes have copied it. A person may accept what is left.
func (b *rollback) awaitPending(ctx workflow.Context) error {
	if !change.Made(ctx, change.Pending) {
		return b.awaitPendingBefore(ctx)
	}
	var acts *activities.Ledgers
	watching, cancel := workflow.WithCancel(ctx)
	defer cancel()
	gate := pendingGate(ctx)
	defer b.Unask(ctx, gate)
	var watch workflow.Future
	var asked settle.RestAsked
	for pause := settle.LedgerFirst; ; pause = min(pause*2, settle.LongestPause(b.Run)) {
		if watch == nil || watch.IsReady() {
			watch = call.WaitFor(
				watching,
				0,
				"nothing is to come from the target any more",
				acts.AwaitPending,
				b.Request(),
			)
		}
		left, err := b.measurePending(ctx)
		b.Status.Ledger = &left
		if err != nil || left.Rest == 0 {
			return err
		}
		q := asked.Take(ctx, left, pendingText, pause)
		q.Gate, q.Until = gate, watch.IsReady
		if given, err := b.Ask(ctx, q); given || err != nil {
			return err
		}
	}
}

func pendingGate(ctx workflow.Context) string {
	if !change.Made(ctx, change.Leave) {
		return string(plan.GateFinalize)
	}
	return api.LeaveGate
}

// measurePending says so while the target doesn't answer, and measures when it is back.
func (b *rollback) measurePending(ctx workflow.Context) (left api.Ledger, err error) {
	var acts *activities.Ledgers
	err = b.Step(ctx, func(ctx workflow.Context) error {
		for limit := 2 * call.QuickTimeout; ; limit = min(2*limit, call.LongestTries) {
			summary := "what is to come from the target"
			err := workflow.ExecuteActivity(call.Within(ctx, limit, summary),
				acts.Pending, b.Request()).Get(ctx, &left)
			switch {
			case err == nil || call.Lasts(err) || ctx.Err() != nil:
				return err
			case !call.IsAway(err):
				b.Detail(ctx, "what is to come from the target isn't known yet: %s",
					call.RootMessage(err))
				continue
			}
			done := b.Wait(ctx, api.Waiting{
				Kind: api.WaitingGate, Gate: api.TargetGate,
				Text: call.AwayText(
					err,
				) + ": everything reads and writes the source, and what is still to come from the target " +
					"comes when it is back",
			})
			err = b.AwaitTarget(ctx, "what is still to come from it is lost")
			done()
			if err != nil {
				return err
			}
		}
	})
	return left, err
}

func pendingText(left api.Ledger) string {
	return fmt.Sprintf("end the lanes although %d are still to come from the target: %s; "+
		"approving leaves this rest there, and no more", left.Rest, settle.Rests(left))
}

// awaitPendingBefore is of runs that are older than change.Pending.
func (b *rollback) awaitPendingBefore(ctx workflow.Context) error {
	for pause := settle.LedgerFirst; ; pause = min(pause*2, settle.LedgerMax) {
		var left api.Ledger
		err := b.Step(ctx, func(ctx workflow.Context) error {
			var acts *activities.Ledgers
			return workflow.ExecuteActivity(call.Quick(ctx, "what is to come from the target"),
				acts.Pending, b.Request()).Get(ctx, &left)
		})
		b.Status.Ledger = &left
		if err != nil || left.Rest == 0 {
			return err
		}
		q := stage.Question{
			Gate: string(plan.GateFinalize), Text: pendingText(left), Evidence: left.Rows,
			Life: pause,
		}
		if given, err := b.Ask(ctx, q); given || err != nil {
			return err
		}
	}
}
